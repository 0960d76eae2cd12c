using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Makes paths absolute.</summary>
internal static class PathRules
{
    private const int MaxGroupLength = 256;
    private const string StorageFolder = "kestrel-acme";

    /// <summary>The folder of the store.</summary>
    public static string Storage(AcmeHttpsOptions options, EnvironmentFacts facts, ProblemList problems)
    {
        // A user without a home (a container's) has no application data: keep things beside the app, where the storage's own check will say what that means.
        var defaultParent = facts.ApplicationDataPath.Length > 0 ? facts.ApplicationDataPath : facts.ContentRootPath;
        return Resolve(options.StoragePath, nameof(options.StoragePath), facts, problems) ?? Path.Combine(defaultParent, StorageFolder);
    }

    /// <summary>The folder to export to, if there is one.</summary>
    public static string? Export(AcmeHttpsOptions options, EnvironmentFacts facts, ProblemList problems)
    {
        var export = Resolve(options.ExportPath, nameof(options.ExportPath), facts, problems);
        if (export is not null && export == Storage(options, facts, new ProblemList()))
        {
            problems.Add(nameof(options.ExportPath), options.ExportPath, "is the folder of the store", "Name another folder");
        }

        return export;
    }

    /// <summary>The permissions of exported files, if they are given.</summary>
    public static UnixFileMode? ExportFileMode(AcmeHttpsOptions options, ProblemList problems)
    {
        const int OwnerReads = 0b100_000_000;
        const int Most = 0b110_100_000;
        if (ScalarRules.NullIfEmpty(options.ExportFileMode) is not { } text)
        {
            return null;
        }

        if (text.Length is 3 or 4 && text.All(c => c is >= '0' and <= '7') && Convert.ToInt32(text, 8) is var mode && (mode & ~Most) == 0 && (mode & OwnerReads) != 0)
        {
            return (UnixFileMode)mode;
        }

        problems.Add(
            nameof(options.ExportFileMode), text, "is not one of 600, 640, 400 and 440: a private key is for its owner and one group, and nobody else writes it",
            "Write 640, and name the group in ExportGroup");
        return null;
    }

    /// <summary>The group of exported files, if it is given.</summary>
    public static string? ExportGroup(AcmeHttpsOptions options, ProblemList problems)
    {
        if (ScalarRules.NullIfEmpty(options.ExportGroup) is not { } group)
        {
            return null;
        }

        if (group.Length <= MaxGroupLength && group.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '$' or '@' or '\\') && group[0] != '-')
        {
            return group;
        }

        problems.Add(nameof(options.ExportGroup), group, "is not the name or number of a group", "Write it as 'getent group' shows it");
        return null;
    }

    /// <summary>Makes a path absolute, counted from the content root.</summary>
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
