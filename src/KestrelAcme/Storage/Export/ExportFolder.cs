using System.Globalization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Storage.Export;

/// <summary>The versions of one exported certificate.</summary>
internal static class ExportFolder
{
    private const int MaxCollisions = 100;
    private static readonly TimeSpan MaxAgeOfDraft = TimeSpan.FromHours(1);

    /// <summary>The name of the folder for a domain name or address.</summary>
    /// <exception cref="ArgumentException">It cannot name a folder.</exception>
    public static string NameFor(string name)
    {
        var folder = (name.StartsWith("*.", StringComparison.Ordinal) ? "_" + name[1..] : name).Replace(':', '-').ToLowerInvariant();
        return StorageKey.IsValid(folder) && !folder.Contains('/') && folder != ".versions"
            ? SegmentEncoding.Encode(folder)
            : throw new ArgumentException($"'{QuotedText.Of(name, QuotedText.MaxNameLength)}' cannot name a folder.", nameof(name));
    }

    /// <summary>Writes a new version, whole before it gets its number.</summary>
    public static long Publish(string versions, ExportedFiles files)
    {
        var draft = Path.Join(versions, $"~{Guid.NewGuid():n}");
        try
        {
            FilePermissions.CreateFolder(draft);
            foreach (var (name, content) in files.All)
            {
                using var file = FilePermissions.Open(Path.Join(draft, name), FileMode.CreateNew, FileAccess.Write, FileShare.None);
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            DirectorySync.Flush(draft);
            return Number(versions, draft);
        }
        catch
        {
            TryDelete(draft);
            throw;
        }
    }

    /// <summary>All but the current version and the one before, and drafts that nobody finished.</summary>
    public static IReadOnlyList<string> FindOld(string versions, long current, DateTimeOffset now)
    {
        var numbers = FindVersions(versions).Where(number => number < current).OrderDescending().Skip(1);
        var drafts = Directory.EnumerateDirectories(versions, "~*").Where(path => now - Directory.GetLastWriteTimeUtc(path) > MaxAgeOfDraft);
        return [.. numbers.Select(number => Path.Join(versions, Format(number))), .. drafts];
    }

    // Another instance that exports here may take the number first.
    private static long Number(string versions, string draft)
    {
        for (var collisions = 0; ; collisions++)
        {
            var number = FindVersions(versions).DefaultIfEmpty().Max() + 1;
            var path = Path.Join(versions, Format(number));
            try
            {
                Directory.Move(draft, path);
                DirectorySync.Flush(versions);
                return number;
            }
            catch (IOException) when (collisions < MaxCollisions && Directory.Exists(path))
            {
                // Taken: count on.
            }
        }
    }

    private static IEnumerable<long> FindVersions(string versions)
        => Directory.EnumerateDirectories(versions)
            .Select(path => long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < long.MaxValue ? number : 0)
            .Where(number => number > 0);

    public static string Format(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static void TryDelete(string draft)
    {
        try
        {
            Directory.Delete(draft, recursive: true);
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // The first failure is the one worth telling.
        }
    }
}
