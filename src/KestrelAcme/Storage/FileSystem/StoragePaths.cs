namespace KestrelAcme.Storage.FileSystem;

/// <summary>The file layout of a <see cref="FileSystemStorage"/> below its root.</summary>
internal sealed class StoragePaths(string root)
{
    public const string TemporarySuffix = ".tmp";
    public const int OwnerIdLength = 32;

    private const int LeaseHashLength = 32;
    private const int ClaimLength = LeaseHashLength + 1 + OwnerIdLength + 1 + 8;

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Owners => Path.Join(Root, "~owners");

    public string Leases => Path.Join(Root, "~leases");

    public string Claims => Path.Join(Root, "~claims");

    public string ForKey(string key) => Below(Root, key);

    public string ForPrefix(string prefix) => prefix.Length == 0 ? Root : Below(Root, prefix[..^1]);

    public string LeaseRecord(string name) => Below(Leases, name) + "~lease";

    public string LeaseLock(string name) => Below(Leases, name) + "~lock";

    public string Owner(string id) => Path.Join(Owners, id);

    /// <summary>Returns the folder for a new claim to a lease. Names of leases may be longer than names of folders.</summary>
    public string NewClaim(string name, string ownerId)
        => Path.Join(Claims, $"{StorageKey.Hash(name)[..LeaseHashLength]}~{ownerId}-{Guid.NewGuid().ToString("n")[..8]}");

    /// <summary>Returns the folder of a claim; <see langword="null"/> if its name is not one that <see cref="NewClaim"/> returns.</summary>
    public string? Claim(string? folderName)
        => folderName is { Length: ClaimLength } && folderName.All(c => char.IsAsciiHexDigitLower(c) || c is '~' or '-')
            ? Path.Join(Claims, folderName)
            : null;

    /// <summary>Returns the part of a claim's path that stands for the lease.</summary>
    public static string LeaseOfClaim(string folder)
        => Path.GetFileName(folder.AsSpan()) is { Length: ClaimLength } name ? name[..LeaseHashLength].ToString() : "";

    /// <summary>Returns the ID of the instance whose claim it is.</summary>
    public static string OwnerOfClaim(string folder)
        => Path.GetFileName(folder.AsSpan()) is { Length: ClaimLength } name
            ? name.Slice(LeaseHashLength + 1, OwnerIdLength).ToString()
            : "";

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

/// <summary>
/// Encodes segments of keys as file names. A segment with a special meaning in some file system is put between tildes, which no key
/// contains. The store's own files start with a tilde and do not end with one. The encoding is the same on every platform, so that a store
/// can be moved.
/// </summary>
internal static class SegmentEncoding
{
    public static string Encode(string segment) => IsSpecial(segment) ? $"~{segment}~" : segment;

    /// <summary>Whether every segment of a key, or every name of a path below the root, needs no encoding.</summary>
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

    /// <summary>Returns the segment, or <see langword="null"/> for a file or folder that holds no key.</summary>
    public static string? Decode(ReadOnlySpan<char> fileName) => IsSegment(fileName) ? Unquote(fileName).ToString() : null;

    /// <summary>Whether a file or folder holds a key or keys.</summary>
    public static bool IsSegment(ReadOnlySpan<char> fileName)
    {
        var segment = Unquote(fileName);
        return StorageKey.IsValid(segment) && !segment.Contains('/') && IsSpecial(segment) == (segment.Length < fileName.Length);
    }

    private static ReadOnlySpan<char> Unquote(ReadOnlySpan<char> fileName)
        => fileName.Length > 2 && fileName[0] == '~' && fileName[^1] == '~' ? fileName[1..^1] : fileName;

    private static bool IsSpecial(ReadOnlySpan<char> segment)
    {
        var dot = segment.IndexOf('.');
        return segment[^1] == '.' // Windows removes it.
            || segment is "lost+found" // Exists in the root of an ext4 volume.
            || segment.StartsWith(".nfs", StringComparison.Ordinal) // NFS renames deleted files that are still open to this.
            || IsDevice(dot < 0 ? segment : segment[..dot]);
    }

    // Windows treats these as devices, with any extension.
    private static bool IsDevice(ReadOnlySpan<char> name)
        => name is "con" or "prn" or "aux" or "nul"
            || (name.Length == 4 && name[3] is >= '0' and <= '9'
                && (name.StartsWith("com", StringComparison.Ordinal) || name.StartsWith("lpt", StringComparison.Ordinal)));
}
