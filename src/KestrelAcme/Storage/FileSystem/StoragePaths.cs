namespace KestrelAcme.Storage.FileSystem;

/// <summary>The file layout of a <see cref="FileSystemStorage"/> below its root.</summary>
internal sealed class StoragePaths(string root)
{
    public const string TemporarySuffix = ".tmp";

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Owners => Path.Join(Root, "~owners");

    public string Leases => Path.Join(Root, "~leases");

    public string ForKey(string key) => Below(Root, key);

    public string ForPrefix(string prefix) => prefix.Length == 0 ? Root : Below(Root, prefix[..^1]);

    public string LeaseRecord(string name) => Below(Leases, name) + "~lease";

    public string LeaseLock(string name) => Below(Leases, name) + "~lock";

    public string Owner(string id) => Path.Join(Owners, id);

    /// <summary>Returns a path for a file that is being written. It identifies the writer, and scans for keys ignore it.</summary>
    public static string Temporary(string folder, string ownerId)
        => Path.Join(folder, $"~{ownerId}-{Guid.NewGuid():n}{TemporarySuffix}");

    /// <summary>Returns the key for a path below the root; <see langword="null"/> if the path does not hold a value.</summary>
    public string? KeyOf(ReadOnlySpan<char> path)
    {
        if (path.Length <= Root.Length || !path.StartsWith(Root, StringComparison.Ordinal))
        {
            return null;
        }

        if (path[Root.Length] == Path.DirectorySeparatorChar && !path[Root.Length..].Contains('~')
            && SegmentEncoding.IsPlain(path[(Root.Length + 1)..], Path.DirectorySeparatorChar))
        {
            // The fast path for nearly all files of a scan.
            var plain = path[(Root.Length + 1)..].ToString().Replace(Path.DirectorySeparatorChar, '/');
            return StorageKey.IsValid(plain) ? plain : null;
        }

        var names = path[Root.Length..].ToString().Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < names.Length; i++)
        {
            if (SegmentEncoding.Decode(names[i]) is not { } segment)
            {
                return null;
            }

            names[i] = segment;
        }

        var key = string.Join('/', names);
        return StorageKey.IsValid(key) ? key : null;
    }

    private static string Below(string folder, string key)
    {
        if (SegmentEncoding.IsPlain(key, '/'))
        {
            return Path.Join(folder, key.Replace('/', Path.DirectorySeparatorChar));
        }

        foreach (var segment in key.Split('/'))
        {
            folder = Path.Join(folder, SegmentEncoding.Encode(segment));
        }

        return folder;
    }
}
