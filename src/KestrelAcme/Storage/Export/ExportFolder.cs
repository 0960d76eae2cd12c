using System.Globalization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// The folder of one exported certificate. It is created once and never replaced, because a program or a container may hold it open. It
/// contains links that lead through <see cref="Current"/> to a version in a subfolder, and is switched in one step.
/// </summary>
internal static class ExportFolder
{
    /// <summary>
    /// The link to the current version. Its name and those of the versions
    /// follow Kubernetes' projected volumes, which many programs support.
    /// </summary>
    public const string Current = "..data";

    /// <summary>Marks the folder as KestrelAcme's until the first link is created, or for good if links are not supported.</summary>
    public const string Mark = "..files";

    private const string VersionPrefix = "..";
    private const string DraftPrefix = "..~";
    private const int MaxCollisions = 100;

    /// <summary>Returns the folder name for a domain name or address.</summary>
    /// <exception cref="ArgumentException">The name is not valid as a folder name.</exception>
    public static string NameFor(string name)
    {
        var folder = (name.StartsWith("*.", StringComparison.Ordinal) ? "_" + name[1..] : name).Replace(':', '-').ToLowerInvariant();
        return StorageKey.IsValid(folder) && !folder.Contains('/') && folder != FormerVersions
            ? SegmentEncoding.Encode(folder)
            : throw new ArgumentException(
                $"'{QuotedText.Of(name, QuotedText.MaxNameLength)}' is not valid as a folder name.", nameof(name));
    }

    /// <summary>The folder in which earlier releases kept all versions, beside links to them.</summary>
    public const string FormerVersions = ".versions";

    /// <summary>Returns a path for a draft, which no program mistakes for anything else.</summary>
    public static string NewDraft(string folder) => Path.Join(folder, $"{DraftPrefix}{Guid.NewGuid():n}");

    /// <summary>Returns the folder that <see cref="Current"/> leads to; <see langword="null"/> if it does not lead to a version.</summary>
    public static string? FindCurrent(string folder)
    {
        if (new FileInfo(Path.Join(folder, Current)).LinkTarget is not { } target || NumberOf(target) == 0)
        {
            return null;
        }

        var version = Path.Join(folder, target);
        return new FileInfo(version).LinkTarget is null && Directory.Exists(version) ? version : null;
    }

    /// <summary>Returns the path of a file's content, whether or not the folder uses links.</summary>
    public static string ContentOf(string folder, string? version, string file)
        => version is not null && new FileInfo(Path.Join(folder, file)).LinkTarget == LinkTo(file)
            ? Path.Join(version, file)
            : Path.Join(folder, file);

    /// <summary>Returns the target of a file's link.</summary>
    public static string LinkTo(string file) => $"{Current}/{file}";

    /// <summary>Whether a folder may be written to: it does not exist, is empty, or was created by KestrelAcme.</summary>
    public static bool IsOursOrFree(string path)
    {
        var info = new FileInfo(path);
        return info.LinkTarget is null
            && !info.Exists
            && (!Directory.Exists(path)
                || new FileInfo(Path.Join(path, Current)).LinkTarget is not null
                || Directory.Exists(Path.Join(path, Mark))
                || !Directory.EnumerateFileSystemEntries(path).Any());
    }

    /// <summary>Renames a draft to the next version and returns its number.</summary>
    public static long Number(string folder, string draft)
    {
        // Another instance that exports to the same path may take the number first.
        for (var collisions = 0; ; collisions++)
        {
            var number = FindLatest(folder) + 1;
            var path = Path.Join(folder, Format(number));
            try
            {
                Directory.Move(draft, path);
                DirectorySync.Flush(folder);
                return number;
            }
            catch (IOException) when (collisions < MaxCollisions && Directory.Exists(path))
            {
                // The number is taken: try the next one.
            }
        }
    }

    /// <summary>Returns the number of the latest version; 0 if there is none.</summary>
    public static long FindLatest(string folder) => FindVersions(folder).DefaultIfEmpty().Max();

    /// <summary>Returns the versions before the current one, except the latest of them, and abandoned drafts.</summary>
    public static IReadOnlyList<string> FindOld(string folder, long current, int keep, DateTimeOffset draftsBefore)
    {
        var numbers = FindVersions(folder).Where(number => number < current).OrderDescending().Skip(keep);
        var oldest = draftsBefore.UtcDateTime;
        var drafts = Directory.EnumerateDirectories(folder)
            .Where(path => Path.GetFileName(path).StartsWith(DraftPrefix, StringComparison.Ordinal)
                && Directory.GetLastWriteTimeUtc(path) < oldest);
        return [.. numbers.Select(number => Path.Join(folder, Format(number))), .. drafts];
    }

    public static string Format(long number) => VersionPrefix + number.ToString(CultureInfo.InvariantCulture);

    private static IEnumerable<long> FindVersions(string folder)
        => Directory.EnumerateDirectories(folder).Select(path => NumberOf(Path.GetFileName(path))).Where(number => number > 0);

    private static long NumberOf(string name)
        => name.StartsWith(VersionPrefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(VersionPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and < long.MaxValue
            && name == Format(number)
            ? number
            : 0;
}
