using System.Xml.Linq;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>The arrows between projects.</summary>
public sealed class ProjectRulesTests
{
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["KestrelAcme.Protocol"] = [],
        ["KestrelAcme.DnsClient"] = [],
        ["KestrelAcme"] = ["KestrelAcme.Protocol", "KestrelAcme.DnsClient"],
        ["KestrelAcme.Redis"] = ["KestrelAcme"],
        ["KestrelAcme.PostgreSql"] = ["KestrelAcme"],
        ["KestrelAcme.EntityFrameworkCore"] = ["KestrelAcme"],
        ["KestrelAcme.Azure"] = ["KestrelAcme"],
        ["KestrelAcme.Yarp"] = ["KestrelAcme"],
        // Never Protocol: client and server must not share a bug.
        ["KestrelAcme.LocalAuthority"] = [],
        // Text only.
        ["KestrelAcme.Templates"] = [],
    };

    private static readonly string[] WithoutPackages =
    [
        "KestrelAcme", "KestrelAcme.Protocol", "KestrelAcme.DnsClient", "KestrelAcme.LocalAuthority",
        "KestrelAcme.Templates",
    ];
    private static readonly string[] WithoutAspNetCore = ["KestrelAcme.Protocol", "KestrelAcme.DnsClient"];

    public static TheoryData<string> Products => [.. Repository.Files("src", "*.csproj").Select(Repository.Relative)];

    [Theory]
    [MemberData(nameof(Products))]
    public void ProjectReferences_Product_FollowTheArrows(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        Assert.True(MayReference.ContainsKey(name), $"{name} is not in the plan: decide what it may reference, and write it down here.");

        var references = Items(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));

        Violations.None($"{name} may reference [{string.Join(", ", MayReference[name])}]", references.Except(MayReference[name]));
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void Packages_Product_AreWhereADependencyIsWanted(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);

        if (WithoutPackages.Contains(name))
        {
            Assert.Empty(Items(project, "PackageReference"));
        }

        if (WithoutAspNetCore.Contains(name))
        {
            Assert.Empty(Items(project, "FrameworkReference"));
        }
    }

    [Theory]
    [MemberData(nameof(Products))]
    public void InternalsVisibleTo_Product_NamesTestProjectsOnly(string project)
    {
        var testProjects = Repository.Files("test", "*.csproj")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Append("KestrelAcme.Benchmarks");

        Violations.None(
            "A storage or DNS package of a user must be able to do all that ours do",
            Items(project, "InternalsVisibleTo").Except(testProjects));
        var folder = Path.GetDirectoryName(project)!;
        Assert.DoesNotContain(
            Repository.Files(folder, "*.cs"),
            file => File.ReadAllText(file).Contains("assembly: InternalsVisibleTo", StringComparison.Ordinal));
    }

    [Fact]
    public void Solution_AllProjects_AreInIt()
    {
        var solution = File.ReadAllText(Path.Combine(Repository.Root, "KestrelAcme.sln")).Replace('\\', '/');
        string[] folders = ["src", "test", "samples"];

        var missing = folders.SelectMany(folder => Repository.Files(folder, "*.csproj")).Select(Repository.Relative)
            .Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal));

        Violations.None("Every project is in the solution", missing);
    }

    private static List<string> Items(string project, string element) =>
        [.. XDocument.Load(Path.Combine(Repository.Root, project))
            .Descendants(element)
            .Select(item => item.Attribute("Include")?.Value)
            .OfType<string>()];
}
