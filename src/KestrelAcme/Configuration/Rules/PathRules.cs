using System.Security;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Resolves paths, and checks the options of the export.</summary>
internal static class PathRules
{
    private const int MaxGroupLength = 256;
    private const string StorageFolder = "kestrel-acme";

    /// <summary>Returns the folder of the store.</summary>
    public static string Storage(string? path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        // A user without a home folder, as in a container, has no application data. The folder is then beside the app, and the storage
        // warns if it does not survive a restart.
        var defaultParent = facts.ApplicationDataPath.Length > 0 ? facts.ApplicationDataPath : facts.ContentRootPath;
        return Resolve(path, key, facts, problems) ?? Path.Combine(defaultParent, StorageFolder);
    }

    /// <summary>Returns the folder to export to, or <see langword="null"/> if there is none.</summary>
    public static string? Export(string? path, string key, string storagePath, EnvironmentFacts facts, ProblemList problems)
    {
        var export = Resolve(path, key, facts, problems);
        if (export is not null && export == storagePath)
        {
            problems.Add(key, path, "is the folder of the store", "Write the path of another folder");
        }

        return export;
    }

    /// <summary>Returns the permissions of exported files, or <see langword="null"/> if none are set.</summary>
    public static UnixFileMode? ExportFileMode(string? text, string key, ProblemList problems)
    {
        const int OwnerReads = 0b100_000_000;
        const int Most = 0b110_100_000;
        if (ScalarRules.NullIfEmpty(text) is not { } given)
        {
            return null;
        }

        if (given.Length is 3 or 4
            && given.All(c => c is >= '0' and <= '7')
            && Convert.ToInt32(given, 8) is var mode
            && (mode & ~Most) == 0
            && (mode & OwnerReads) != 0)
        {
            return (UnixFileMode)mode;
        }

        problems.Add(
            key, given,
            "is not one of 600, 640, 400 and 440: only the owner and one group may read a private key, and only the owner may write it",
            "Write 640, and the group in ExportGroup");
        return null;
    }

    /// <summary>Returns the group of exported files, or <see langword="null"/> if none is set.</summary>
    public static string? ExportGroup(string? text, string key, ProblemList problems)
    {
        if (ScalarRules.NullIfEmpty(text) is not { } group)
        {
            return null;
        }

        if (group.Length <= MaxGroupLength
            && group.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '$' or '@' or '\\')
            && group[0] != '-')
        {
            return group;
        }

        problems.Add(key, group, "is not the name or number of a group", "Write it as 'getent group' shows it");
        return null;
    }

    /// <summary>Resolves a path against the content root; returns <see langword="null"/> for an empty path, or after a problem.</summary>
    public static string? Resolve(string? path, string key, EnvironmentFacts facts, ProblemList problems, bool isSecret = false)
    {
        if (ScalarRules.NullIfEmpty(path) is not { } given)
        {
            return null;
        }

        if (given.Contains('\0'))
        {
            problems.Add(key, isSecret ? null : given, "is not a path", "Write the path of a folder or a file");
            return null;
        }

        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(given, facts.ContentRootPath));
    }
}

/// <summary>Reads the files that options name.</summary>
internal static class FileRules
{
    /// <summary>
    /// Reads a file with a secret; returns <see langword="null"/> after a problem. No problem shows the path, since it may be the secret
    /// itself, or the system's message, which quotes the path.
    /// </summary>
    public static string? ReadSecret(string path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        try
        {
            return facts.ReadFile(path);
        }
        catch (Exception e) when (e
            is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException or ArgumentException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException ? "names a file that does not exist"
                : e is UnauthorizedAccessException ? "names a file that the app has no permission to read"
                : "names a file that cannot be read";
            problems.Add(
                key, null, $"{reason} (the value is not shown because it may be the secret itself)",
                "Write the path of a file that contains the secret and that the app's user can read, never the secret");
        }

        return null;
    }

    /// <summary>Reads a file; returns <see langword="null"/> after a problem.</summary>
    public static string? Read(string path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        try
        {
            return facts.ReadFile(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add(
                key, path, "does not exist", "Write the path of an existing file; relative paths are resolved against the content root");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException)
        {
            problems.Add(
                key, path, $"cannot be read ({QuotedText.Words(e.Message.TrimEnd('.'))})",
                "Give the user that the app runs as read permission for the file");
        }

        return null;
    }
}
