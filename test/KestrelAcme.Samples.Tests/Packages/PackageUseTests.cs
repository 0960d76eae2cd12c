using System.Text.Json;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Samples.Tests.Packages;

/// <summary>A new app with the packed packages, from the first command to the first answer over HTTPS.</summary>
[Long]
public sealed class PackageUseTests
{
    [Fact]
    public async Task NewWebApp_WithTheExamplesOfTheReadme_AnswersOverHttps()
    {
        using var app = new NewApp();
        await app.DotnetAsync("new", "web", "-n", "MyApp", "-o", ".", "--no-restore");
        await app.DotnetAsync("add", "package", "KestrelAcme.AspNetCore");
        app.Write("Program.cs", NewApp.Blocks("csharp").First());
        app.Write("appsettings.json", NewApp.Blocks("json").First());
        await app.DotnetAsync("build", "--no-restore", "-v", "q", "-warnaserror");

        var segments = await app.DotnetAsync("msbuild", "-getItem:JsonSchemaSegment");
        using var items = JsonDocument.Parse(segments);
        var schema = Assert.Single(items.RootElement.GetProperty("Items").GetProperty("JsonSchemaSegment").EnumerateArray());
        Assert.True(File.Exists(schema.GetProperty("FullPath").GetString()), segments);
        Assert.Matches(schema.GetProperty("FilePathPattern").GetString()!, "appsettings.Production.json");

        // The host prefers the assembly that was compiled ahead.
        var assemblies = app.Read("bin/Debug/net10.0/MyApp.deps.json");
        Assert.Contains("runtimes/linux-x64/lib/net10.0/KestrelAcme.dll", assemblies, StringComparison.Ordinal);
        Assert.Equal("Hello over HTTPS", await app.AnswerAsync("MyApp", "example.com"));
    }

    [Fact]
    public async Task Template_InstalledFromThePackages_CreatesAnAppThatAnswersOverHttps()
    {
        using var app = new NewApp();
        var package = Path.Combine(PackedPackages.Folder(), $"KestrelAcme.Templates.{PackedPackages.Version()}.nupkg");
        await app.DotnetAsync("new", "install", package);
        await app.DotnetAsync("new", "acmehttps", "-n", "MyShop", "-o", ".", "--domain", "shop.example", "--email", "shop@shop.example");
        await app.DotnetAsync("build", "--no-restore", "-v", "q", "-warnaserror");

        var settings = app.Read("appsettings.json");
        Assert.Contains("[ \"shop.example\" ]", settings, StringComparison.Ordinal);
        Assert.Contains("\"shop@shop.example\"", settings, StringComparison.Ordinal);
        Assert.Contains("ENTRYPOINT [\"dotnet\", \"MyShop.dll\"]", app.Read("Dockerfile"), StringComparison.Ordinal);

        // It starts as it is in Development. In Production, it says what is missing before it asks a CA for anything.
        var development = await app.StartAsync("MyShop", "Development");
        Assert.Contains("Application started", development, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", development, StringComparison.Ordinal);
        Assert.Contains("AcceptTermsOfService", await app.StartAsync("MyShop", "Production"), StringComparison.Ordinal);
        Assert.Equal("Hello over HTTPS", await app.AnswerAsync("MyShop", "shop.example"));
    }
}
