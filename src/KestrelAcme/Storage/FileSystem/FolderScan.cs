using System.IO.Enumeration;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Finds the values below a folder.</summary>
internal static class FolderScan
{
    private const int UsualLength = 512;

    /// <summary>One folder, with all that is in it.</summary>
    private static readonly EnumerationOptions OneFolder = new() { RecurseSubdirectories = false, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>
    /// Finds values and what a scan tells of them, one after the other. It goes into every folder that may hold values; symbolic links, which could lead in circles, are not followed.
    /// A folder below that cannot be read is somebody else's, and keeps nothing else back.
    /// </summary>
    /// <param name="paths">Where things are.</param>
    /// <param name="prefix">Where to begin: when this cannot be read, the scan fails.</param>
    /// <param name="passedOver">Told of a folder that could not be read, and why.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static IEnumerable<ScannedFile> Run(StoragePaths paths, string prefix, Action<string, Exception> passedOver, CancellationToken cancellationToken)
    {
        var root = paths.ForPrefix(prefix);
        var open = new Stack<string>([root]);
        while (open.TryPop(out var folder))
        {
            List<ScannedFile> files;
            try
            {
                files = Read(paths, folder, open, cancellationToken);
            }
            catch (Exception exception) when (FileFault.Covers(exception) && folder != root)
            {
                if (exception is not DirectoryNotFoundException)
                {
                    passedOver(folder, exception);
                }

                continue;
            }

            foreach (var file in files)
            {
                yield return file;
            }
        }
    }

    private static List<ScannedFile> Read(StoragePaths paths, string folder, Stack<string> open, CancellationToken cancellationToken)
    {
        var found = new List<ScannedFile>();
        var folders = new List<string>();
        var entries = new FileSystemEnumerable<ScannedFile>(folder, Transform, OneFolder)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
            {
                if (!SegmentEncoding.IsSegment(entry.FileName) || IsLink(ref entry))
                {
                    return false;
                }

                if (entry.IsDirectory)
                {
                    folders.Add(entry.ToFullPath());
                }

                return !entry.IsDirectory;
            },
        };

        foreach (var file in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.Key is not null)
            {
                found.Add(file);
            }
        }

        folders.ForEach(open.Push);
        return found;

        ScannedFile Transform(ref FileSystemEntry entry) => new(KeyOf(paths, ref entry)!, entry.LastWriteTimeUtc.UtcTicks, entry.Length);
    }

    // On Windows files have the mark for other reasons, too.
    private static bool IsLink(ref FileSystemEntry entry)
        => (entry.Attributes & FileAttributes.ReparsePoint) != 0 && (entry.IsDirectory || !OperatingSystem.IsWindows());

    // Of a path that nobody keeps no string is made.
    private static string? KeyOf(StoragePaths paths, ref FileSystemEntry entry)
    {
        Span<char> path = stackalloc char[UsualLength];
        return paths.KeyOf(Path.TryJoin(entry.Directory, entry.FileName, path, out var length) ? path[..length] : entry.ToFullPath());
    }
}
