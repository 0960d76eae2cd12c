using Azure.Core;
using Azure.Identity;
using KestrelAcme.Challenges.Dns01.Providers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Azure.Tests;

/// <summary>Validation of the options, and the choice of the identity.</summary>
public sealed class AzureDnsOptionsTests
{
    private const string Id =
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/dnszones/example.com";

    [Theory]
    [InlineData(
        "SubscriptionId",
        null,
        "DnsProviders:0:SubscriptionId: is missing. Write a value such as '00000000-0000-0000-0000-000000000000', or ZoneResourceIds")]
    [InlineData("SubscriptionId", "mine", "is not a GUID")]
    [InlineData("ResourceGroup", "rg", "SubscriptionId: is missing, and ResourceGroup has no use without it")]
    [InlineData("ZoneResourceIds", "/subscriptions/x/example.com", "is not a list of resource IDs of DNS zones")]
    [InlineData("ClientId", "app", "ClientSecret: is missing, and ClientId has no use without it")]
    [InlineData("ClientSecret", "hidden", "TenantId: is missing, and ClientSecret has no use without it")]
    [InlineData(
        "ZoneResourceIds",
        $"{Id},{Id},/subscriptions/s/resourceGroups/other/providers/Microsoft.Network/dnszones/Example.com",
        "holds several zones named example.com, but DNS uses only one of them")]
    [InlineData(
        "TenantId",
        "{11111111-2222-3333-4444-555555555555}",
        "TenantId = '{11111111-2222-3333-4444-555555555555}': is not a tenant: letters, digits, dots and hyphens only. "
        + "Write a value such as '00000000-")]
    [InlineData("AuthorityHost", "http://login.test/", "is not an https URL")]
    public void Options_Wrong_AreReportedWithTheFix(string key, string? value, string expected)
    {
        var exception = Assert.ThrowsAny<OptionsValidationException>(() => AzureFixture.Read(options =>
        {
            options.ZoneResourceIds = key is "SubscriptionId" or "ResourceGroup" ? null : Id;
            options.Settings[key] = value;
        }));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("11111111-2222-3333-4444-555555555555")]
    [InlineData("contoso.onmicrosoft.com")]
    public void Options_TenantOfEitherKind_MakesACredential(string tenant)
        => Assert.IsType<ClientSecretCredential>(Choose(null, ("TenantId", tenant), ("ClientId", "app"), ("ClientSecret", "secret")));

    [Fact]
    public void Options_OneZoneTwice_IsOneZone()
    {
        var twice = $"{Id},{Id.Replace("/rg/", "/RG/", StringComparison.Ordinal)}";

        Assert.Equal(twice, AzureFixture.Read(options => options.ZoneResourceIds = twice).ZoneResourceIds);
    }

    [Fact]
    public void Choose_ByWhatIsGiven_TakesTheMostSpecific()
    {
        var application = new StaticCredential("");

        Assert.IsType<DefaultAzureCredential>(Choose(null));
        Assert.Same(application, Choose(application));
        Assert.IsType<ManagedIdentityCredential>(Choose(application, ("ManagedIdentityClientId", "11111111-2222-3333-4444-555555555555")));
        Assert.IsType<ClientSecretCredential>(
            Choose(
                application,
                ("TenantId", "tenant"),
                ("ClientId", "app"),
                ("ClientSecret", "secret"),
                ("AuthorityHost", "https://login.chinacloudapi.cn/")));
    }

    [Fact]
    public void AddAzureDns_ElementOfTheConfiguration_IsAProvider()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:DomainNames:0"] = "example.com",
            ["AcmeHttps:DirectoryUrl"] = "https://ca.test/dir",
            ["AcmeHttps:ChallengeTypes:0"] = "dns-01",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:DnsProviders:0:Type"] = "azuredns",
            ["AcmeHttps:DnsProviders:0:ZoneResourceIds"] = Id,
            ["AcmeHttps:DnsProviders:0:ResourceManagerEndpoint"] = "https://management.chinacloudapi.cn",
        }).Build());
        services.AddLogging();
        services.AddAcmeHttps().AddAzureDns();
        using var provider = services.BuildServiceProvider();

        var found = provider.GetRequiredService<DnsProviderTable>().Find("_acme-challenge.example.com", "_acme-challenge.example.com");

        Assert.Equal("Azure DNS at management.chinacloudapi.cn", found?.Provider.Description);
    }

    private static TokenCredential Choose(TokenCredential? application, params (string Key, string Value)[] more) =>
        AzureCredentials.Choose(
        AzureFixture.Read(options =>
        {
            options.ZoneResourceIds = Id;
            Array.ForEach(more, pair => options.Settings[pair.Key] = pair.Value);
        }),
        application);
}
