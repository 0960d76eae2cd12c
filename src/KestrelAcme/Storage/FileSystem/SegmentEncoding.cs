namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Segments of keys as names of files. A segment that a file system gives a meaning of its own is put between tildes, which no key can hold;
/// the store's own files begin with a tilde and do not end with one. The same on every system, so that a store can be moved.
/// </summary>
internal static class SegmentEncoding
{
    public static string Encode(string segment) => IsSpecial(segment) ? $"~{segment}~" : segment;

    /// <summary>Whether every segment of a key, or every name of a path below the root, stands for itself.</summary>
    public static bool IsPlain(ReadOnlySpan<char> path, char separator)
    {
        foreach (var range in path.Split(separator))
        {
            if (path[range].IsEmpty || IsSpecial(path[range]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Returns <see langword="null"/> for a file or folder that holds no key: ours, or somebody else's.</summary>
    public static string? Decode(ReadOnlySpan<char> fileName) => IsSegment(fileName) ? Unquote(fileName).ToString() : null;

    /// <summary>Whether a file or folder holds a key, or keys.</summary>
    public static bool IsSegment(ReadOnlySpan<char> fileName)
    {
        var segment = Unquote(fileName);
        return StorageKey.IsValid(segment) && !segment.Contains('/') && IsSpecial(segment) == (segment.Length < fileName.Length);
    }

    private static ReadOnlySpan<char> Unquote(ReadOnlySpan<char> fileName) => fileName.Length > 2 && fileName[0] == '~' && fileName[^1] == '~' ? fileName[1..^1] : fileName;

    private static bool IsSpecial(ReadOnlySpan<char> segment)
    {
        var dot = segment.IndexOf('.');
        return segment[^1] == '.' // Windows drops it.
            || segment is "lost+found" // The root of an ext4 volume has it.
            || segment.StartsWith(".nfs", StringComparison.Ordinal) // What NFS calls deleted files that are still open.
            || IsDevice(dot < 0 ? segment : segment[..dot]);
    }

    // On Windows these are devices, whatever extension follows.
    private static bool IsDevice(ReadOnlySpan<char> name)
        => name is "con" or "prn" or "aux" or "nul" || (name.Length == 4 && name[3] is >= '0' and <= '9' && (name.StartsWith("com", StringComparison.Ordinal) || name.StartsWith("lpt", StringComparison.Ordinal)));
}
