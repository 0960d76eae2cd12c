using Xunit;

namespace KestrelAcme.Architecture.Tests.Sources;

/// <summary>The shape of source files.</summary>
public sealed class SourceRulesTests
{
    private const int LongestFile = 300;
    private const int LongestLine = 140;
    private const int LongestCompanion = 50;

    // What extends a type of the framework may live in the framework's namespace, where callers find it without a using.
    // Extension methods of the framework's types, and what the compiler looks for by its full name.
    private static readonly string[] FrameworkNamespaces =
    [
        "Microsoft.Extensions.DependencyInjection", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting",
        "Microsoft.EntityFrameworkCore", "System.Runtime.CompilerServices",
    ];

    private static readonly List<SourceFile> Products = [.. Repository.Files("src", "*.cs").Select(path => new SourceFile(path))];
    private static readonly List<SourceFile> Tests = [.. Repository.Files("test", "*.cs").Select(path => new SourceFile(path))];
    private static readonly List<SourceFile> Samples = [.. Repository.Files("samples", "*.cs").Select(path => new SourceFile(path))];

    [Fact]
    public void Lines_Product_AreAtMost300() =>
        Violations.None(
            $"A file has at most {LongestFile} lines",
            Products.Where(file => file.LineCount > LongestFile).Select(file => $"{file.Path}: {file.LineCount} lines"));

    [Fact]
    public void Lines_ProductsTestsAndSamples_HaveAtMost140Columns() =>
        Violations.None(
            $"A line has at most {LongestLine} columns",
            from file in Products.Concat(Tests).Concat(Samples)
            from line in file.LinesOver(LongestLine)
            select $"{file.Path}:{line}");

    [Fact]
    public void Types_Product_LiveAloneUnlessTheyAreSmall() =>
        Violations.None(
            $"A type of more than {LongestCompanion} lines has a file of its own; smaller ones may live with their user or their family",
            from file in Products
            from type in file.TypeLengths
            where type.Lines > LongestCompanion && type.Name != file.NameOfFile && file.TypeLengths.Count > 1
            select $"{file.Path}: {type.Name} has {type.Lines} lines");

    [Fact]
    public void Types_Product_AreInOneFile() =>
        Violations.None(
            "A type is in one file. If it does not fit, it is two types, and one of them uses the other", SpreadTypes(Products));

    [Fact]
    public void SpreadTypes_APartialTypeInTwoFiles_AreFound()
    {
        SourceFile[] files =
        [
            new("src/P/Order.cs", ["namespace P;", "internal sealed partial class Order", "internal sealed class Line"]),
            new("src/P/Order.Lines.cs", ["namespace P;", "internal sealed partial class Order"]),
            new("src/P/Other/Line.cs", ["namespace P.Other;", "internal sealed class Line"]),
            new("src/Q/Order.cs", ["namespace P;", "internal sealed class Order"]),
        ];

        Assert.Equal(["P.Order: src/P/Order.cs, src/P/Order.Lines.cs"], SpreadTypes(files));
    }

    [Fact]
    public void Types_ProductsAndTests_AreNamedAfterTheirFile() =>
        Violations.None("A file is named after one of its types", Products.Concat(Tests)
            .Where(
                file => file.Types.Count > 0
                    && !file.Types.Any(
                        type => type == file.NameOfFile || file.NameOfFile.StartsWith(type + "Of", StringComparison.Ordinal)))
            .Select(file => $"{file.Path}: {string.Join(", ", file.Types)}"));

    [Fact]
    public void Namespace_ProductsAndTests_IsTheFolder() =>
        Violations.None("A namespace is its folder", Products.Concat(Tests)
            .Where(file => file.Namespace is { } name && name != file.NamespaceOfFolder && !FrameworkNamespaces.Contains(name))
            .Select(file => $"{file.Path}: {file.Namespace}"));

    [Fact]
    public void Files_ProductsTestsAndSamples_AreThere()
        => Assert.All([Products, Tests, Samples], files => Assert.NotEmpty(files));

    // Two projects may have a type of the same name.
    private static IEnumerable<string> SpreadTypes(IEnumerable<SourceFile> files) =>
        from file in files
        from type in file.Types.Distinct()
        group file.Path by (Project: file.Path.Split('/')[1], Name: $"{file.Namespace}.{type}") into places
        where places.Count() > 1
        select $"{places.Key.Name}: {string.Join(", ", places)}";
}
