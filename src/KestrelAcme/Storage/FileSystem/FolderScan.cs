using System.IO.Enumeration;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Finds the values below a folder.</summary>
internal static class FolderScan
{
    private const int UsualLength = 512;

    /// <summary>One folder, with everything in it.</summary>
    private static readonly EnumerationOptions OneFolder = new()
    {
        RecurseSubdirectories = false,
        AttributesToSkip = FileAttributes.None,
        IgnoreInaccessible = false,
    };

    /// <summary>
    /// Finds values and their time stamps. Enters every folder that may hold values, and follows no symbolic links, which could form
    /// cycles. An unreadable subfolder is not KestrelAcme's and does not prevent the rest from being found.
    /// </summary>
    /// <param name="paths">The layout of the store.</param>
    /// <param name="prefix">The prefix to start from. If its folder is unreadable, the scan fails.</param>
    /// <param name="passedOver">Called with each folder that could not be read, and the reason.</param>
    /// <param name="cancellationToken">Cancels the scan.</param>
    public static IEnumerable<ScannedFile> Run(
        StoragePaths paths, string prefix, Action<string, Exception> passedOver, CancellationToken cancellationToken)
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
                if (!FileFault.IsGone(exception, folder))
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

    // On Windows, regular files can have reparse points for other reasons.
    private static bool IsLink(ref FileSystemEntry entry)
        => (entry.Attributes & FileAttributes.ReparsePoint) != 0 && (entry.IsDirectory || !OperatingSystem.IsWindows());

    // Does not allocate a string for a path that holds no value.
    private static string? KeyOf(StoragePaths paths, ref FileSystemEntry entry)
    {
        Span<char> path = stackalloc char[UsualLength];
        return paths.KeyOf(Path.TryJoin(entry.Directory, entry.FileName, path, out var length) ? path[..length] : entry.ToFullPath());
    }
}

/// <summary>A value as seen by a scan. If the time or the length differs from the previous scan, the value has changed.</summary>
internal sealed record ScannedFile(string Key, long WrittenTicks, long Length);
