using System.ComponentModel.DataAnnotations;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

/// <summary>A third-party DNS provider with a plain options class.</summary>
public sealed class DnsProviderOptionsReaderTests
{
    [Fact]
    public void AddDnsProviderType_AllTypes_Read()
    {
        using var services = Services(
            ("Url", "https://dns.example/"), ("Token", "t0ken"), ("Retries", "3"), ("Size", "5000000000"), ("Pause", "00:00:07"),
            ("Mode", "fast"), ("Strict", "true"), ("Id", "00000000-0000-0000-0000-000000000001"));

        var options = Provider(services).Options;

        Assert.Equal(new Uri("https://dns.example/"), options.Url);
        Assert.Equal("t0ken", options.Token);
        Assert.Equal(3, options.Retries);
        Assert.Equal(5_000_000_000, options.Size);
        Assert.Equal(TimeSpan.FromSeconds(7), options.Pause);
        Assert.Equal(OwnMode.Fast, options.Mode);
        Assert.True(options.Strict);
        Assert.Equal(new Guid("00000000-0000-0000-0000-000000000001"), options.Id);
    }

    [Fact]
    public void AddDnsProviderType_OnlyRequiredKeys_DefaultsOfTheClassStay()
    {
        using var services = Services(("Url", "https://dns.example/"), ("Token", "t0ken"));

        Assert.Equal(2, Provider(services).Options.Retries);
    }

    [Fact]
    public void AddDnsProviderType_SecretAsFile_ContentRead()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "from-a-file\n");
            using var services = Services(("Url", "https://dns.example/"), ("TokenFile", file));

            Assert.Equal("from-a-file", Provider(services).Options.Token);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Url", "dns.example", "AcmeHttps:DnsProviders:0:Url = 'dns.example': is not an absolute URL.")]
    [InlineData("Retries", "many", "AcmeHttps:DnsProviders:0:Retries = 'many': is not a whole number.")]
    [InlineData("Retries", "99", "AcmeHttps:DnsProviders:0:Retries = '99': is invalid: The field Retries must be between 0 and 10.")]
    [InlineData("Mode", "7", "AcmeHttps:DnsProviders:0:Mode = '7': is not one of Slow, Fast.")]
    [InlineData("Retrys", "1", "AcmeHttps:DnsProviders:0:Retrys")]
    [InlineData("Token", "", "AcmeHttps:DnsProviders:0:Token: is missing. Write it, or the path of a file that contains it in TokenFile")]
    [InlineData("Url", "", "AcmeHttps:DnsProviders:0:Url: is missing, and Path has no use without it")]
    public void AddDnsProviderType_BadValue_ReportedAtStart(string key, string value, string expected)
    {
        var given = new Dictionary<string, string>
        {
            ["Url"] = "https://dns.example/",
            ["Token"] = "t0ken",
            ["Path"] = "/v1",
            [key] = value,
        };
        using var services = Services([.. given.Select(pair => (pair.Key, pair.Value))]);

        var exception = Assert.ThrowsAny<OptionsValidationException>(() => services.GetRequiredService<SnapshotReader>().ReadFirst());

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AddDnsProviderType_PropertyOfAnotherType_RefusedWhereItIsAdded()
        => Assert.Contains(
            "WrongOptions.Endpoints has type String[]",
            Assert.Throws<ArgumentException>(
                () => new ServiceCollection().AddAcmeHttps().AddDnsProviderType<WrongOptions>("Wrong", (_, _) => null!)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void AddDnsProvider_Class_CreatedFromServicesUnderItsShortName()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddAcmeHttps(Basics).AddDnsProvider<PlainDnsProvider>(options => options.Zones = ["example.test"]);
        using var provider = services.BuildServiceProvider();

        Assert.Equal("Plain", Assert.Single(provider.GetRequiredService<ConfigurationSource>().Current.DnsProviders).Settings.Type);
        Assert.IsType<PlainDnsProvider>(
            provider.GetRequiredService<DnsProviderTable>().Find("_acme-challenge.example.test", "_acme-challenge.example.test")?.Provider);
    }

    private static void Basics(AcmeHttpsOptions options)
    {
        options.DomainNames = ["example.test"];
        options.DirectoryUrl = "https://ca.test/dir";
        options.AcceptTermsOfService = true;
        options.ChallengeTypes = ["dns-01"];
    }

    private static ServiceProvider Services(params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(
                settings.Select(pair => KeyValuePair.Create($"AcmeHttps:DnsProviders:0:{pair.Key}", (string?)pair.Value))
                    .Append(new("AcmeHttps:DnsProviders:0:Type", "Own")))
            .Build());
        services.AddAcmeHttps(Basics).AddDnsProviderType<OwnOptions>("Own", (_, options) => new OwnProvider(options));
        return services.BuildServiceProvider();
    }

    private static OwnProvider Provider(ServiceProvider services)
        => Assert.IsType<OwnProvider>(
            services.GetRequiredService<DnsProviderTable>().Find("_acme-challenge.example.test", "_acme-challenge.example.test")?.Provider);

    private enum OwnMode
    {
        Slow,
        Fast,
    }

    private sealed class OwnOptions
    {
        [Required]
        public Uri? Url { get; set; }

        [Required, DnsProviderSetting(Secret = true)]
        public string? Token { get; set; }

        [DnsProviderSetting(Needs = nameof(Url))]
        public string? Path { get; set; }

        [Range(0, 10)]
        public int Retries { get; set; } = 2;

        public long? Size { get; set; }

        public TimeSpan Pause { get; set; }

        public OwnMode Mode { get; set; }

        public bool Strict { get; set; }

        public Guid Id { get; set; }
    }

    private sealed class WrongOptions
    {
        public string[] Endpoints { get; set; } = [];
    }

    private class PlainDnsProvider : IDnsProvider
    {
        public string Description => "own";

        public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class OwnProvider(OwnOptions options) : PlainDnsProvider
    {
        public OwnOptions Options => options;
    }
}
