namespace KestrelAcme.Architecture.Tests;

/// <summary>The working copy that this test assembly was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>
    /// Files under <paramref name="folder"/> (relative to the root), without what a build leaves behind and what is in templates.
    /// </summary>
    public static IEnumerable<string> Files(string folder, string pattern)
    {
        var path = Path.Combine(Root, folder);
        return Directory.Exists(path)
            ? Directory.EnumerateFiles(path, pattern, SearchOption.AllDirectories)
                .Where(file => !IsOther(file))
                .Order(StringComparer.Ordinal)
            : [];
    }

    /// <summary>The path from the root, with slashes.</summary>
    public static string Relative(string file) => Path.GetRelativePath(Root, file).Replace('\\', '/');

    private static bool IsOther(string file)
        => Relative(file).Split('/') is var parts && (parts.Contains("bin") || parts.Contains("obj") || parts.Contains("templates"));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No KestrelAcme.sln above {AppContext.BaseDirectory}.");
    }
}
