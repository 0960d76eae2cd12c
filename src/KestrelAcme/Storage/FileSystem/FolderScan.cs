using System.IO.Enumeration;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Finds the values below a folder.</summary>
internal static class FolderScan
{
    /// <summary>Into every folder that may be entered; symbolic links, which could lead in circles, are not followed.</summary>
    public static EnumerationOptions Options { get; } = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };

    /// <summary>Lists values with what a scan tells of them; empty when the folder does not exist.</summary>
    public static List<ScannedFile> Run(StoragePaths paths, string prefix, CancellationToken cancellationToken)
    {
        var found = new List<ScannedFile>();
        var files = new FileSystemEnumerable<ScannedFile>(paths.ForPrefix(prefix), Transform, Options)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory && SegmentEncoding.Decode(entry.FileName) is not null,
            ShouldRecursePredicate = (ref FileSystemEntry entry) => SegmentEncoding.Decode(entry.FileName) is not null && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
        };

        foreach (var file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.Key is not null)
            {
                found.Add(file);
            }
        }

        return found;

        ScannedFile Transform(ref FileSystemEntry entry) => new(paths.KeyOf(entry.ToFullPath())!, entry.LastWriteTimeUtc.UtcTicks, entry.Length);
    }
}
