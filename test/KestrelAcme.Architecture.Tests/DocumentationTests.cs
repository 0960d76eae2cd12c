using System.Text.RegularExpressions;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>What the documentation points to is there.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] Pages =
        [.. Directory.GetFiles(Repository.Root, "*.md").Concat(Repository.Files("docs", "*.md")).Select(Repository.Relative)];

    [Fact]
    public void Links_AllPages_LeadToFiles()
    {
        var links = Pages.SelectMany(
            page => Link().Matches(Read(page)).Select(match => (Page: page, Target: match.Groups[1].Value.Split('#')[0])))
            .Where(link => link.Target.Length > 0 && !link.Target.Contains("://", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(links);
        Violations.None(
            "A link leads to a file",
            from link in links
            let path = Path.Combine(Repository.Root, Path.GetDirectoryName(link.Page)!, link.Target)
            where !File.Exists(path) && !Directory.Exists(path)
            select $"{link.Page}: {link.Target}");
    }

    [Fact]
    public void Links_PackageReadmes_AreAbsolute()
    {
        var pages = Repository.Files("src", "README.md").ToList();

        Assert.Equal(Repository.Files("src", "*.csproj").Select(Path.GetDirectoryName), pages.Select(Path.GetDirectoryName));
        Violations.None(
            "The gallery does not resolve relative links",
            from page in pages
            from link in Link().Matches(File.ReadAllText(page)).Select(match => match.Groups[1].Value)
            where !link.StartsWith("https://", StringComparison.Ordinal)
            select $"{Repository.Relative(page)}: {link}");
    }

    [Fact]
    public void Architecture_SourceFiles_Exist()
    {
        var paths = SourcePath().Matches(Read("docs/architecture.md")).Select(match => match.Groups[1].Value).ToList();

        Assert.NotEmpty(paths);
        Violations.None(
            "A source file that is named exists",
            paths.Where(path => !File.Exists(Path.Combine(Repository.Root, "src/KestrelAcme", path))));
    }

    private static string Read(string page) => File.ReadAllText(Path.Combine(Repository.Root, page));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"`([A-Z]\w+(?:/\w+)+\.cs)`")]
    private static partial Regex SourcePath();
}
