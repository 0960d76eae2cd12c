namespace KestrelAcme.Configuration;

/// <summary>Makes paths absolute.</summary>
internal static class PathRules
{
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
