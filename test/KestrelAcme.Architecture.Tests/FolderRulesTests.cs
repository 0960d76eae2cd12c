using KestrelAcme.Architecture.Tests.Metadata;
using KestrelAcme.Architecture.Tests.Sources;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>The arrows between the folders of src/KestrelAcme.</summary>
public sealed class FolderRulesTests
{
    private const string Product = "KestrelAcme";

    private static readonly IReadOnlyCollection<TypeReferenceFact> Facts =
        AssemblyTypes.ReadReferences(Path.Combine(AppContext.BaseDirectory, Product + ".dll"));

    public static TheoryData<string> Folders => [.. FolderPlan.All.Select(plan => plan.Folder)];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Types_Folder_UseWhatItMay(string folder)
    {
        var plan = FolderPlan.All.Single(entry => entry.Folder == folder);

        var wrong = Facts.Where(
            fact => fact.FromNamespace.StartsWith("KestrelAcme.", StringComparison.Ordinal)
                && FolderPlan.FolderOf(fact.FromNamespace) == folder)
            .Where(fact => !IsAllowed(plan, fact.ToNamespace, fact.ToAssembly))
            .Select(fact => $"{fact.From} uses {fact.To}");

        Violations.None($"{folder} may use {string.Join(", ", plan.MayUse.Concat(plan.Assemblies))}", wrong);
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Usings_Folder_NameWhatItMay(string folder)
    {
        var plan = FolderPlan.All.Single(entry => entry.Folder == folder);
        var files = Repository.Files($"src/{Product}/{folder}", "*.cs").Select(path => new SourceFile(path));

        var wrong = from file in files
                    from name in file.Usings
                    where name.StartsWith("KestrelAcme.", StringComparison.Ordinal)
                    let assembly = plan.Assemblies.Concat(["KestrelAcme.Protocol", "KestrelAcme.DnsClient"])
                        .FirstOrDefault(other => (name + ".").StartsWith(other + ".", StringComparison.Ordinal))
                    where !IsAllowed(plan, name, assembly ?? Product)
                    select $"{file.Path} uses {name}";

        Violations.None($"{folder} may use {string.Join(", ", plan.MayUse.Concat(plan.Assemblies))}", wrong);
    }

    [Fact]
    public void Types_Product_AreInAFolderOfThePlan()
    {
        var wrong = Facts.Where(
            fact => FolderPlan.FolderOf(fact.FromNamespace) is { } folder && FolderPlan.All.All(plan => plan.Folder != folder))
            .Select(fact => fact.From);

        Violations.None("Every type of the product lives in a folder of the plan", wrong);
    }

    [Theory]
    [InlineData("Tls", "KestrelAcme.Certificates", "KestrelAcme", false)]
    [InlineData("Tls", "KestrelAcme.Protocol.Orders", "KestrelAcme.Protocol", false)]
    [InlineData("Tls", "KestrelAcme.Tls.Hello", "KestrelAcme", true)]
    [InlineData("Certificates", "KestrelAcme.DnsClient", "KestrelAcme.DnsClient", false)]
    [InlineData("Challenges", "KestrelAcme.DnsClient", "KestrelAcme.DnsClient", true)]
    [InlineData("Storage", "System.IO", "System.Runtime", true)]
    public void IsAllowed_Examples_FollowThePlan(string folder, string name, string assembly, bool allowed) =>
        Assert.Equal(allowed, IsAllowed(FolderPlan.All.Single(plan => plan.Folder == folder), name, assembly));

    private static bool IsAllowed(FolderPlan plan, string name, string assembly)
    {
        if (assembly == Product)
        {
            return FolderPlan.FolderOf(name) is not { } target || target == plan.Folder || plan.MayUse.Contains(target);
        }

        return !assembly.StartsWith("KestrelAcme", StringComparison.Ordinal) || plan.Assemblies.Contains(assembly);
    }
}
