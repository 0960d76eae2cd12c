using KestrelAcme.Architecture.Tests.Metadata;
using KestrelAcme.Architecture.Tests.Samples;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>A type that needs more than eight others does more than one thing.</summary>
public sealed class ConstructorRulesTests
{
    private const int Most = 8;

    public static TheoryData<string> Products
        => [
            .. Repository.Files("src", "*.csproj")
                .Select(path => Path.GetFileNameWithoutExtension(path))
                .Where(name => name != "KestrelAcme.Templates"),
        ];

    [Theory]
    [MemberData(nameof(Products))]
    public void Constructors_Product_HaveAtMostEightParameters(string product)
    {
        using var assembly = new AssemblyMethods(Path.Combine(AppContext.BaseDirectory, $"{product}.dll"));

        Violations.None(
            $"A constructor has at most {Most} parameters: split the type by what it is responsible for, not by a record of services",
            assembly.Constructors().Where(c => c.Parameters > Most).Select(c => $"{c.Type}: {c.Parameters}"));
    }

    [Fact]
    public void Constructors_OneOfNineParameters_AreCounted()
    {
        using var assembly = new AssemblyMethods(typeof(NineParameters).Assembly.Location);

        Assert.Contains((nameof(NineParameters), 9), assembly.Constructors());
    }
}
