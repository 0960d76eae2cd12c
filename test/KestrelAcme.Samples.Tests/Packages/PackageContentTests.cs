using System.IO.Compression;
using System.Reflection.Metadata;
using System.Xml.Linq;
using Xunit;

namespace KestrelAcme.Samples.Tests.Packages;

/// <summary>What is in the packages.</summary>
public sealed class PackageContentTests
{
    private const string Core = "KestrelAcme.AspNetCore";

    public static TheoryData<string, string[]> Libraries => new()
    {
        { Core, ["KestrelAcme.DnsClient", "KestrelAcme.Protocol"] },
        { "KestrelAcme.Protocol", [] },
        { "KestrelAcme.DnsClient", [] },
        { "KestrelAcme.LocalAuthority", [] },
        { "KestrelAcme.Redis", [Core, "StackExchange.Redis"] },
        { "KestrelAcme.PostgreSql", [Core, "Npgsql"] },
        { "KestrelAcme.EntityFrameworkCore", [Core, "Microsoft.EntityFrameworkCore.Relational"] },
        { "KestrelAcme.Yarp", [Core, "Yarp.ReverseProxy"] },
        { "KestrelAcme.Azure", ["Azure.Core", "Azure.Identity", "Azure.Security.KeyVault.Secrets", "Azure.Storage.Blobs", Core] },
    };

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Package_Library_HasWhatAPackageNeeds(string id, string[] dependencies)
    {
        using var package = PackedPackages.Open(id);
        var assembly = id == Core ? "KestrelAcme" : id;
        var files = package.Entries.Select(entry => entry.FullName).ToList();
        var metadata = Specification(package).Root!.Elements().Single();
        string Text(string element) => metadata.Elements().Single(found => found.Name.LocalName == element).Value;

        Assert.Contains($"lib/net10.0/{assembly}.dll", files);
        Assert.Contains($"lib/net10.0/{assembly}.xml", files);
        Assert.Contains($"runtimes/linux-x64/lib/net10.0/{assembly}.dll", files);
        Assert.Equal("MIT", Text("license"));
        Assert.Contains(Text("readme"), files);
        Assert.Contains(Text("icon"), files);
        Assert.NotEmpty(Text("description"));
        Assert.NotEmpty(Text("tags"));
        Assert.Equal(
            dependencies,
            metadata.Descendants()
                .Where(element => element.Name.LocalName == "dependency")
                .Select(element => element.Attribute("id")!.Value)
                .Order(StringComparer.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Symbols_Library_NameNoFolderOfThisMachine(string id, string[] dependencies)
    {
        Assert.NotNull(dependencies);
        using var package = PackedPackages.Open(id, "snupkg");
        var entry = Assert.Single(package.Entries, file => file.FullName.EndsWith(".pdb", StringComparison.Ordinal));
        using var symbols = new MemoryStream();
        using (var stream = entry.Open())
        {
            stream.CopyTo(symbols);
        }

        symbols.Position = 0;
        using var provider = MetadataReaderProvider.FromPortablePdbStream(symbols);
        var reader = provider.GetMetadataReader();
        var documents = reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name)).ToList();

        Assert.NotEmpty(documents);
        Assert.All(documents, document => Assert.StartsWith("/_/", document, StringComparison.Ordinal));
    }

    [Fact]
    public void Package_Core_HasTheSchemaAndNamesItsFile()
    {
        using var package = PackedPackages.Open(Core);

        Assert.Equal(
            File.ReadAllText(Path.Combine(BuiltSample.Root(), "src/KestrelAcme/ConfigurationSchema.json")),
            Read(package, "ConfigurationSchema.json"));
        Assert.Contains("JsonSchemaSegment", Read(package, $"buildTransitive/net10.0/{Core}.targets"), StringComparison.Ordinal);
    }

    [Fact]
    public void Package_Templates_HasTheWholeTemplateWithTheVersionOfTheLibraries()
    {
        using var package = PackedPackages.Open("KestrelAcme.Templates");
        var files = package.Entries.Select(entry => entry.FullName).Where(file => file.StartsWith("content/", StringComparison.Ordinal));
        var folder = Path.Combine(BuiltSample.Root(), "src/KestrelAcme.Templates/templates");

        Assert.Equal(
            Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Select(file => $"content/{Path.GetRelativePath(folder, file)}")
                .Order(StringComparer.Ordinal),
            files.Order(StringComparer.Ordinal));
        Assert.Contains(
            $"Include=\"{Core}\" Version=\"{PackedPackages.Version()}\"",
            Read(package, "content/acmehttps/AcmeHttpsApp.csproj"),
            StringComparison.Ordinal);
    }

    private static XDocument Specification(ZipArchive package)
    {
        using var stream = package.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(stream);
    }

    private static string Read(ZipArchive package, string file)
    {
        using var reader = new StreamReader(package.GetEntry(file)?.Open() ?? throw new FileNotFoundException(file));
        return reader.ReadToEnd();
    }
}
