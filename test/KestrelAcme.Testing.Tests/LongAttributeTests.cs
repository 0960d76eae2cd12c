using Xunit;

namespace KestrelAcme.Testing.Tests;

public sealed class LongAttributeTests
{
    [Fact]
    public void GetTraits_TheTrait_IsTheOneThatTheTargetsFilterBy()
    {
        var targets = File.ReadAllText(Path.Combine(FindRoot(), "test", "Directory.Build.targets"));

        var trait = Assert.Single(new LongAttribute().GetTraits());

        Assert.Contains($"--filter-not-trait {trait.Key}={trait.Value} ", targets, StringComparison.Ordinal);
        Assert.Contains($"--filter-trait {trait.Key}={trait.Value} ", targets, StringComparison.Ordinal);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KestrelAcme.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException($"No KestrelAcme.sln above {AppContext.BaseDirectory}.");
        }

        return folder.FullName;
    }
}
