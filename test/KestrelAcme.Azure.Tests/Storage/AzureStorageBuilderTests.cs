using Azure.Security.KeyVault.Secrets;
using Azure.Storage.Blobs;
using KestrelAcme.Azure.Storage;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Azure.Storage.KeyVault;
using KestrelAcme.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage;

/// <summary>How an app chooses the stores, and what it is told if something is wrong.</summary>
public sealed class AzureStorageBuilderTests
{
    private const string Key = "c2VjcmV0LWFjY291bnQta2V5LXZhbHVl";
    private const string Connection = $"DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={Key};EndpointSuffix=core.windows.net";
    private static readonly Uri Container = new("https://shop.blob.core.windows.net/kestrelacme");
    private static readonly Uri Vault = new("https://shop.vault.azure.net/");
    private static readonly StaticCredential Credential = new("token");

    [Fact]
    public async Task PersistToAzureBlob_EachOverload_IsTheAppsStorage()
    {
        Action<IAcmeHttpsBuilder>[] all =
        [
            https => https.PersistToAzureBlob(Connection, "kestrelacme"),
            https => https.PersistToAzureBlob(Container, Credential, options => options.Prefix = "shop"),
            https => https.PersistToAzureBlob(new BlobContainerClient(Container)),
        ];
        foreach (var configure in all)
        {
            await using var services = Build(configure);
            var storage = Assert.IsType<AzureBlobStorage>(services.GetRequiredService<IAcmeStorage>());
            Assert.StartsWith("shop.blob.core.windows.net/kestrelacme", storage.Place, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task PersistToAzureKeyVault_EachOverload_IsTheAppsStorage()
    {
        Action<IAcmeHttpsBuilder>[] all =
        [
            https => https.PersistToAzureKeyVault(Vault, Container, Credential),
            https => https.PersistToAzureKeyVault(
                new SecretClient(Vault, Credential), new BlobContainerClient(Container), options => options.Index.Prefix = "shop"),
        ];
        foreach (var configure in all)
        {
            await using var services = Build(configure);
            Assert.IsType<AzureKeyVaultStorage>(services.GetRequiredService<IAcmeStorage>());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData($"AccountName=shop;AccountKey={Key}{Key}=;EndpointSuffix")]
    [InlineData($"AccountKey={Key}")]
    public void PersistToAzureBlob_ConnectionStringIsWrong_IsRefusedWithoutQuotingIt(string connection)
    {
        var failure = Assert.Throws<ArgumentException>(() => Builder().PersistToAzureBlob(connection, "kestrelacme"));
        Assert.Contains("Access keys", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void SecretsOf_ConnectionString_AreTheKeyAndTheSignature()
    {
        Assert.Contains(Key, AzureStorageArguments.SecretsOf(Connection));
        const string Signed = "BlobEndpoint=https://shop.blob.core.windows.net;SharedAccessSignature=sv=1&sig=a%2Fb%2Bc%3D&sp=r";
        Assert.Contains("a/b+c", AzureStorageArguments.SecretsOf(Signed));
    }

    [Theory]
    [InlineData("http://shop.blob.core.windows.net/kestrelacme", "not an https URL")]
    [InlineData("https://shop.blob.core.windows.net/", "names no container")]
    [InlineData($"https://shop.blob.core.windows.net/a?sig={Key}", "not an https URL")]
    [InlineData("kestrelacme", "not an https URL")]
    public void PersistToAzureBlob_UrlIsWrong_IsRefusedWithTheFix(string url, string expected)
    {
        var failure = Assert.Throws<ArgumentException>(
            () => Builder().PersistToAzureBlob(new Uri(url, UriKind.RelativeOrAbsolute), Credential));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://shop.vault.azure.net/secrets", "has a path")]
    [InlineData("http://shop.vault.azure.net/", "not an https URL")]
    public void PersistToAzureKeyVault_UrlIsWrong_IsRefusedWithTheFix(string url, string expected)
    {
        var failure = Assert.Throws<ArgumentException>(() => Builder().PersistToAzureKeyVault(new Uri(url), Container, Credential));
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Kestrel")]
    [InlineData("a--b")]
    [InlineData("ab")]
    public void PersistToAzureBlob_ContainerNameIsWrong_IsRefused(string name)
    {
        var failure = Assert.Throws<ArgumentException>(() => Builder().PersistToAzureBlob(Connection, name));
        Assert.Contains($"'{name}'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_OptionsAreWrong_AreAllReportedAtTheStart()
    {
        var host = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        host.Configuration.AddInMemoryCollection(Settings());
        host.Logging.ClearProviders();
        host.Services.AddAcmeHttps().PersistToAzureKeyVault(Vault, Container, Credential, options =>
        {
            options.SecretNamePrefix = "a.b";
            options.Index.Prefix = "/a";
            options.Index.PollInterval = TimeSpan.Zero;
        });
        var failure = Assert.Throws<OptionsValidationException>(host.Build);
        Assert.Equal(3, failure.Failures.Count());
        Assert.Contains("'a.b'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Index.Prefix '/a'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("00:00:00 is out of range", failure.Message, StringComparison.Ordinal);
    }

    private static IAcmeHttpsBuilder Builder() => new ServiceCollection().AddAcmeHttps();

    private static ServiceProvider Build(Action<IAcmeHttpsBuilder> configure)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(Settings()).Build());
        services.AddLogging();
        configure(services.AddAcmeHttps());
        return services.BuildServiceProvider();
    }

    private static Dictionary<string, string?> Settings() => new()
    {
        ["AcmeHttps:DomainNames:0"] = "example.test",
        ["AcmeHttps:DirectoryUrl"] = "https://ca.test/dir",
        ["AcmeHttps:AcceptTermsOfService"] = "true",
    };
}
