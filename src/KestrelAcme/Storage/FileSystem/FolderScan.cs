using System.IO.Enumeration;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Finds the values below a folder.</summary>
internal static class FolderScan
{
    private const int UsualLength = 512;

    /// <summary>Into every folder that may be entered; symbolic links, which could lead in circles, are not followed.</summary>
    public static EnumerationOptions Options { get; } = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>Finds values and what a scan tells of them, one after the other.</summary>
    public static IEnumerable<ScannedFile> Run(StoragePaths paths, string prefix, CancellationToken cancellationToken)
    {
        var files = new FileSystemEnumerable<ScannedFile>(paths.ForPrefix(prefix), Transform, Options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && SegmentEncoding.IsSegment(entry.FileName),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => SegmentEncoding.IsSegment(entry.FileName) && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
        };

        foreach (var file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.Key is not null)
            {
                yield return file;
            }
        }

        ScannedFile Transform(ref FileSystemEntry entry) => new(KeyOf(paths, ref entry)!, entry.LastWriteTimeUtc.UtcTicks, entry.Length);
    }

    // Of a path that nobody keeps no string is made.
    private static string? KeyOf(StoragePaths paths, ref FileSystemEntry entry)
    {
        Span<char> path = stackalloc char[UsualLength];
        return paths.KeyOf(Path.TryJoin(entry.Directory, entry.FileName, path, out var length) ? path[..length] : entry.ToFullPath());
    }
}
