using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.Simulation.Tests;

/// <summary>One life of the process: the whole engine, on the model of an authority and a store that outlives it.</summary>
internal sealed class SimulatedProcess
{
    private readonly Lifeline _life = new();
    private readonly ServiceProvider _services;

    public SimulatedProcess(
        ISimulatedAuthority authority,
        IAcmeStorage storage,
        ConfigurationSnapshot configuration,
        IssuanceSettings settings,
        Random jitter,
        ILoggerProvider? log = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddFilter(_ => log is not null));
        if (log is not null)
        {
            services.AddSingleton(log);
        }

        services.AddSingleton<TimeProvider>(authority.Clock.Machine);
        services.AddSingleton<IAcmeStorage>(new MortalStorage(storage, _life));
        services.AddSingleton<ITlsPublisher>(Publisher);
        services.AddSingleton(authority.CreateClients(_life));
        services.AddSingleton(settings);
        services.AddSingleton<JitterSource>(() => Draw(jitter));
        services.AddSingleton(new RevocationListClient(authority.Clock.Machine, authority.CreateListClient(_life)));
        services.AddAcmeHttps();

        // After the doctor, which replaces the source.
        services.AddSingleton(new ConfigurationSource(() => configuration, NullLogger<ConfigurationSource>.Instance));
        services.RemoveAll<IChallengeHandler>();
        services.AddSingleton<INameRouting>(new UnknownPlaces());
        services.AddSingleton(authority.CreateChallengeHandler());
        _services = services.BuildServiceProvider();
    }

    public SimulatedPublisher Publisher { get; } = new();

    public ICertificateManager Certificates => _services.GetRequiredService<ICertificateManager>();

    private CertificateEngine Engine => _services.GetRequiredService<CertificateEngine>();

    /// <summary>Whether it was killed.</summary>
    public bool IsDead => _life.IsCut;

    /// <summary>Whether it lets other processes know of it.</summary>
    public bool IsInFleet { get; init; }

    private ChallengeFeed Feed => _services.GetRequiredService<ChallengeFeed>();

    /// <summary>What is done before Kestrel listens.</summary>
    public Task LoadAsync()
    {
        if (IsInFleet)
        {
            Feed.Start();
        }

        return Engine.LoadAsync(CancellationToken.None);
    }

    /// <summary>What begins once it does.</summary>
    public void Start() => Engine.Start();

    /// <summary>Ends the process as a service manager does.</summary>
    public async Task StopAsync()
    {
        var feed = IsInFleet ? Feed : null;
        await Task.WhenAll(feed?.LeaveAsync() ?? Task.CompletedTask, Engine.StopAsync(CancellationToken.None));
        await (feed?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>
    /// Ends the process in the middle of whatever it does; its leases stay behind. The task completes when nothing of it runs any more.
    /// </summary>
    public async Task Kill()
    {
        _life.Cut();
        await Task.WhenAll(IsInFleet ? Feed.DisposeAsync().AsTask() : Task.CompletedTask, Engine.StopAsync(CancellationToken.None));
    }

    /// <summary>Lets it be killed in the middle of its next order.</summary>
    public void KillDuringOrder(int steps) => _life.CutDuringOrder(steps);

    // Real DNS answers in real time.
    private sealed class UnknownPlaces : INameRouting
    {
        public Task<NameRoute> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken)
            => Task.FromResult(NameRoute.Unknown);

        public Task<IReadOnlyList<NameAddresses>> ReadAddressesAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
            => Task.FromResult<IReadOnlyList<NameAddresses>>([]);
    }

    private static double Draw(Random jitter)
    {
        lock (jitter)
        {
            return jitter.NextDouble();
        }
    }
}
