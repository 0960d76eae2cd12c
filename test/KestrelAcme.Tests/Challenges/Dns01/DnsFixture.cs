using System.Net;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>The services of an app without its server, for challenges against the test's name servers.</summary>
internal sealed class DnsFixture : IAsyncDisposable
{
    public static readonly Uri Account = new("https://ca.test/account/1");

    private readonly ServiceProvider _services;
    private readonly List<IHostedService> _started = [];

    public DnsFixture(
        IReadOnlyDictionary<string,
        string?> settings,
        int dnsPort,
        IAcmeStorage? storage = null,
        Action<IAcmeHttpsBuilder>? acme = null,
        TimeProvider? time = null,
        Func<IPAddress,
        IPEndPoint>? endPointOf = null)
    {
        var services = new ServiceCollection();
        var all = new Dictionary<string, string?>(settings)
        {
            ["AcmeHttps:DomainNames:0"] = "example.test",
            ["AcmeHttps:DirectoryUrl"] = "https://ca.test/dir",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:ChallengeTypes:0"] = "dns-01",
        };
        all.TryAdd("AcmeHttps:DnsResolvers:0", $"127.0.0.1:{dnsPort}");
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(all).Build());
        services.AddLogging(logging => logging.AddProvider(Log).SetMinimumLevel(LogLevel.Debug));
        services.AddSingleton(time ?? TimeProvider.System);
        services.AddSingleton(storage ?? new InMemoryStorage());
        services.AddSingleton(new DnsEndPointMap(endPointOf ?? (address => new IPEndPoint(address, dnsPort))));
        var builder = services.AddAcmeHttps();
        acme?.Invoke(builder);

        // The other handlers need a server.
        var others = services.Where(service => service.ServiceType == typeof(IChallengeHandler)
            && service.ImplementationType?.Name.StartsWith("Dns", StringComparison.Ordinal) == false);
        foreach (var other in others.ToList())
        {
            services.Remove(other);
        }

        _services = services.BuildServiceProvider();
    }

    public LogRecorder Log { get; } = new();

    public IServiceProvider Services => _services;

    public IChallengeHandler Handler => HandlerOf("dns-01");

    public IChallengeHandler HandlerOf(string type) => _services.GetServices<IChallengeHandler>().Single(h => h.ChallengeType == type);

    public static ChallengeContext Challenge(string domain, string token, bool wildcard = false) => new()
    {
        ChallengeType = "dns-01",
        IdentifierType = "dns",
        Identifier = domain,
        Wildcard = wildcard,
        Url = new Uri($"https://ca.test/challenge/{token}"),
        Token = token,
        KeyAuthorization = $"{token}.thumbprint",
        AccountUrl = Account,
        DirectoryUrl = new Uri("https://ca.test/dir"),
        CaaIdentities = ["ca.test"],
    };

    public static string ValueOf(ChallengeContext context) => DnsChallengeNames.Value(context.KeyAuthorization!);

    public ConfigurationSnapshot Configuration => _services.GetRequiredService<ConfigurationSource>().Current;

    /// <summary>Starts the background services of the DNS challenges.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var service = ActivatorUtilities.CreateInstance<StaleRecordService>(_services);
        _started.Add(service);
        await service.StartAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _started)
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}
