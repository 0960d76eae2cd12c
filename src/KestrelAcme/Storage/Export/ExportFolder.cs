using System.Globalization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// The folder of one exported certificate. It is made once and stays, for a program or a container may hold it open; what it holds are links through <see cref="Current"/>
/// to a version in a folder of its own, switched in one step.
/// </summary>
internal static class ExportFolder
{
    /// <summary>The link to the version that holds. Its name, and those of the versions, are what Kubernetes uses for the same purpose: many programs know them.</summary>
    public const string Current = "..data";

    /// <summary>Shows that the folder is ours where links cannot be made, and until the first is.</summary>
    public const string Mark = "..files";

    private const string VersionPrefix = "..";
    private const string DraftPrefix = "..~";
    private const int MaxCollisions = 100;

    /// <summary>The name of the folder for a domain name or address.</summary>
    /// <exception cref="ArgumentException">It cannot name a folder.</exception>
    public static string NameFor(string name)
    {
        var folder = (name.StartsWith("*.", StringComparison.Ordinal) ? "_" + name[1..] : name).Replace(':', '-').ToLowerInvariant();
        return StorageKey.IsValid(folder) && !folder.Contains('/') && folder != FormerVersions
            ? SegmentEncoding.Encode(folder)
            : throw new ArgumentException($"'{QuotedText.Of(name, QuotedText.MaxNameLength)}' cannot name a folder.", nameof(name));
    }

    /// <summary>Where earlier releases kept all versions, beside links to them.</summary>
    public const string FormerVersions = ".versions";

    /// <summary>The name of a draft, which no program takes for anything else.</summary>
    public static string NewDraft(string folder) => Path.Join(folder, $"{DraftPrefix}{Guid.NewGuid():n}");

    /// <summary>The folder that <see cref="Current"/> leads to; <see langword="null"/> where it does not lead to a version.</summary>
    public static string? FindCurrent(string folder)
    {
        var path = Path.Join(folder, Current);
        return new FileInfo(path).LinkTarget is { } target && NumberOf(target) > 0 && new FileInfo(Path.Join(folder, target)).LinkTarget is null && Directory.Exists(Path.Join(folder, target))
            ? Path.Join(folder, target)
            : null;
    }

    /// <summary>The path at which a file's content is, in either form of the folder.</summary>
    public static string ContentOf(string folder, string? version, string file)
        => version is not null && new FileInfo(Path.Join(folder, file)).LinkTarget == LinkTo(file) ? Path.Join(version, file) : Path.Join(folder, file);

    /// <summary>What the link of a file leads to.</summary>
    public static string LinkTo(string file) => $"{Current}/{file}";

    /// <summary>Whether a folder may be written to: there is none, it is empty, or it is one of ours.</summary>
    public static bool IsOursOrFree(string path)
    {
        var info = new FileInfo(path);
        return info.LinkTarget is null
            && !info.Exists
            && (!Directory.Exists(path) || new FileInfo(Path.Join(path, Current)).LinkTarget is not null || Directory.Exists(Path.Join(path, Mark)) || !Directory.EnumerateFileSystemEntries(path).Any());
    }

    /// <summary>Gives a draft the next number.</summary>
    public static long Number(string folder, string draft)
    {
        // Another instance that exports here may take the number first.
        for (var collisions = 0; ; collisions++)
        {
            var number = FindVersions(folder).DefaultIfEmpty().Max() + 1;
            var path = Path.Join(folder, Format(number));
            try
            {
                Directory.Move(draft, path);
                DirectorySync.Flush(folder);
                return number;
            }
            catch (IOException) when (collisions < MaxCollisions && Directory.Exists(path))
            {
                // Taken: count on.
            }
        }
    }

    /// <summary>The versions before the current one, but for the latest of them, and drafts that nobody finished.</summary>
    public static IReadOnlyList<string> FindOld(string folder, long current, int keep, DateTimeOffset draftsBefore)
    {
        var numbers = FindVersions(folder).Where(number => number < current).OrderDescending().Skip(keep);
        var drafts = Directory.EnumerateDirectories(folder)
            .Where(path => Path.GetFileName(path).StartsWith(DraftPrefix, StringComparison.Ordinal) && Directory.GetLastWriteTimeUtc(path) < draftsBefore.UtcDateTime);
        return [.. numbers.Select(number => Path.Join(folder, Format(number))), .. drafts];
    }

    public static string Format(long number) => VersionPrefix + number.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<long> FindVersions(string folder)
        => Directory.EnumerateDirectories(folder).Select(path => NumberOf(Path.GetFileName(path))).Where(number => number > 0);

    private static long NumberOf(string name)
        => name.StartsWith(VersionPrefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(VersionPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < long.MaxValue
            && name == Format(number)
            ? number
            : 0;
}
