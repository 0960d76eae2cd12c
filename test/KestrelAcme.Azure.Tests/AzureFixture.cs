using Azure.Core;
using Azure.Core.Pipeline;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Azure.Tests;

/// <summary>
/// A stub of Azure over HTTPS, and providers that use it, with validated settings.
/// </summary>
internal sealed class AzureFixture : IAsyncDisposable
{
    public const string Token = "good-token-value";
    public const string WrongToken = "wrong-token-value";
    public const string Subscription = "11111111-2222-3333-4444-555555555555";

    private readonly LoopbackCertificate _certificate = LoopbackCertificate.Create();
    private readonly List<IDisposable> _providers = [];
    private StubApi? _api;

    public AzureDnsStub Stub { get; } = new(Token, Subscription);

    public StubApi Api => _api ?? throw new InvalidOperationException("Not started.");

    public async Task StartAsync(CancellationToken cancellationToken) =>
        _api = await StubApi.StartAsync(Stub.Map, cancellationToken, _certificate.Server);

    public AzureDnsProvider CreateProvider(
        TokenCredential? credential = null, Action<AzureDnsOptions>? configure = null, TimeProvider? time = null)
    {
        // This machine does not trust the stub's certificate.
        var transport = new HttpClientTransport(new HttpClientHandler
        {
            ServerCertificateCustomValidationCallback =
                (_, certificate, _, _) => certificate?.Thumbprint == _certificate.Server.Thumbprint,
        });
        var provider = new AzureDnsProvider(
            Settings(configure), credential ?? new StaticCredential(Token), transport, time ?? TimeProvider.System);
        _providers.Add(provider);
        return provider;
    }

    /// <summary>Returns the settings that an application's configuration results in.</summary>
    public static AzureDnsOptions Read(Action<AzureDnsOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:DomainNames:0"] = "example.test",
            ["AcmeHttps:DirectoryUrl"] = "https://ca.test/dir",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:ChallengeTypes:0"] = "dns-01",
        }).Build());
        services.AddLogging();
        services.AddAcmeHttps().AddAzureDns(configure);
        using var provider = services.BuildServiceProvider();
        _ = provider.GetRequiredService<IOptions<AcmeHttpsOptions>>().Value;
        var settings = provider.GetRequiredService<ConfigurationSource>().Current.DnsProviders[0].Settings;
        return DnsProviderOptionsReader<AzureDnsOptions>.Read(settings);
    }

    public async ValueTask DisposeAsync()
    {
        _providers.ForEach(provider => provider.Dispose());
        await Api.DisposeAsync();
        _certificate.Dispose();
    }

    private AzureDnsOptions Settings(Action<AzureDnsOptions>? configure) => Read(options =>
    {
        options.SubscriptionId = Subscription;
        options.ResourceManagerEndpoint = Api.Url.ToString();
        configure?.Invoke(options);
    });
}
