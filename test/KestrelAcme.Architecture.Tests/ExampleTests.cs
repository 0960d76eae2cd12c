using System.Xml.Linq;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Storage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>The examples in the documentation of public types compile in an application as the templates create it.</summary>
public sealed class ExampleTests
{
    private const string Prelude = "var builder = WebApplication.CreateBuilder(args);\nvar app = builder.Build();\n";

    private static readonly CSharpParseOptions Options = new(LanguageVersion.Latest);

    // The implicit usings of the Web SDK, and a few that an IDE adds by itself.
    private static readonly string[] Usings =
    [
        "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Text", "System.Threading",
        "System.Threading.Tasks", "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http",
        "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Hosting",
        .. typeof(ICertificateManager).Assembly.GetExportedTypes().Select(type => type.Namespace!).Distinct(),
    ];

    private static readonly SyntaxTree GlobalUsings =
        CSharpSyntaxTree.ParseText(string.Concat(Usings.Distinct().Select(name => $"global using {name};\n")), Options);

    private static readonly PortableExecutableReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string> FilesWithExamples =>
    [
        .. Repository.Files("src", "*.cs").Where(file => File.ReadAllText(file).Contains("/// <example>", StringComparison.Ordinal))
            .Select(Repository.Relative),
    ];

    public static TheoryData<string> PackageReadmes => [.. Repository.Files("src", "README.md").Select(Repository.Relative)];

    [Theory]
    [MemberData(nameof(FilesWithExamples))]
    public void Examples_OfFile_Compile(string file)
    {
        foreach (var example in ExamplesOf(Path.Combine(Repository.Root, file)))
        {
            var errors = Compile(example);

            Assert.True(errors.Count == 0, $"{file}:\n{string.Join('\n', errors)}\n\n{example}");
        }
    }

    [Theory]
    [MemberData(nameof(PackageReadmes))]
    public void Examples_OfPackageReadme_Compile(string file)
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, file));
        foreach (var example in text.Split("```csharp\n").Skip(1).Select(block => block.Split("```")[0]))
        {
            var errors = Compile(example, "class AppDbContext(Microsoft.EntityFrameworkCore.DbContextOptions options) "
                + ": Microsoft.EntityFrameworkCore.DbContext(options);");

            Assert.True(errors.Count == 0, $"{file}:\n{string.Join('\n', errors)}\n\n{example}");
        }
    }

    [Theory]
    [InlineData(typeof(ICertificateManager))]
    [InlineData(typeof(IDomainSource))]
    [InlineData(typeof(ICertificateEventHandler))]
    [InlineData(typeof(IAcmeStorage))]
    [InlineData(typeof(IDnsProvider))]
    [InlineData(typeof(IChallengeHandler))]
    public void Documentation_OfExtensionPoint_HasAnExample(Type type)
    {
        var file = Assert.Single(Repository.Files("src", $"{type.Name}.cs"));

        var example = Assert.Single(ExamplesOf(file));

        Assert.Contains(type.Name, example, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_BrokenExample_ReturnsTheError()
    {
        var errors = Compile("app.MapGet(\"/\", (ICertificateManager certificates) => certificates.Lost());");

        Assert.Contains(errors, error => error.Contains("CS1061", StringComparison.Ordinal));
    }

    private static List<string> Compile(string example, string context = "")
    {
        var tree = CSharpSyntaxTree.ParseText(example, Options);
        var root = tree.GetCompilationUnitRoot();
        var hasStatements = root.Members.Any(member => member is GlobalStatementSyntax);
        if (hasStatements)
        {
            var usings = root.Usings.ToFullString();
            var prelude = example.Contains("CreateBuilder(args)", StringComparison.Ordinal) ? "" : Prelude;
            tree = CSharpSyntaxTree.ParseText($"{usings}{prelude}{example[usings.Length..]}", Options);
        }

        var kind = hasStatements ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary;
        var compilation = CSharpCompilation.Create(
            "Example",
            [GlobalUsings, tree, CSharpSyntaxTree.ParseText(context, Options)],
            References,
            new CSharpCompilationOptions(kind, nullableContextOptions: NullableContextOptions.Enable));
        return
        [
            .. compilation.GetDiagnostics()
                .Where(d => d.Location.SourceTree == tree && d.Severity is DiagnosticSeverity.Error or DiagnosticSeverity.Warning)
                .Select(d => d.ToString()),
        ];
    }

    private static IEnumerable<string> ExamplesOf(string file)
    {
        var comment = new List<string>();
        foreach (var line in File.ReadLines(file).Select(line => line.Trim()).Append(""))
        {
            if (line.StartsWith("///", StringComparison.Ordinal))
            {
                comment.Add(line.Length > 3 ? line[4..] : "");
                continue;
            }

            foreach (var example in XElement.Parse($"<doc>{string.Join('\n', comment)}</doc>").Elements("example"))
            {
                yield return example.Element("code")!.Value.Trim('\n');
            }

            comment.Clear();
        }
    }
}
