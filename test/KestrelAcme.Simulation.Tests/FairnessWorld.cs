using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Names that have their certificates, a process that starts when all of them are due, and a trap for some of them.</summary>
internal sealed class FairnessWorld : IDisposable
{
    private static readonly TimeSpan UntilDue = TimeSpan.FromDays(35);

    private readonly SimulatedClock _clock = new();
    private readonly CertificateMint _mint;
    private readonly SimulatedAuthority _model;
    private readonly TrappedAuthority _authority;
    private readonly Trap _trap;
    private readonly InMemoryStorage _store;
    private readonly ConfigurationSnapshot _configuration;
    private readonly Random _jitter = new(1);
    private readonly int _honest;
    private readonly int _hostile;
    private SimulatedProcess _process = null!;

    public FairnessWorld(Trap trap, int honest, int hostile)
    {
        (_trap, _honest, _hostile) = (trap, honest, hostile);
        _mint = new CertificateMint(_clock.Start);
        var weather = Weather.Draw(seed: 1, _clock.Start, _clock.Start.AddDays(1), WeatherRates.None);

        // Those that have expired when the others are due are the most urgent.
        _model = new SimulatedAuthority(
            _clock, weather, _mint, name => TimeSpan.FromDays(trap.Lapsed && Trap.IsHostile(name) ? 20 : 45), seed: 1);
        _authority = new TrappedAuthority(_model, trap);
        _store = new InMemoryStorage(_clock.Machine);
        var configuration = SimulatedConfiguration.Create(
            SimulatedConfiguration.Names("hostile", hostile).Concat(SimulatedConfiguration.Names("honest", honest)));
        var second = configuration.Authorities[0] with { Id = "second", DirectoryUrl = new Uri("https://second.model.test/directory") };
        _configuration = trap.AuthorityHangs is null
            ? configuration
            : configuration with { Authorities = [.. configuration.Authorities, second] };
    }

    private int Renewed => _model.Issued.Count(c => !Trap.IsHostile(c.Name)) - _honest;

    /// <summary>Lets a process obtain all certificates and end.</summary>
    public async Task ObtainAsync()
    {
        await StartAsync(_store);
        await UntilAsync(() => _model.Issued.Count == _honest + _hostile, TimeSpan.FromDays(1));
        await FinishAsync(_process.StopAsync());
    }

    /// <summary>Starts another one when all of them are due, and sets the trap.</summary>
    public async Task StartDueAsync()
    {
        _clock.Machine.Advance(UntilDue);
        _trap.IsSet = true;
        await StartAsync(new TrappedStorage(_store, _trap));
    }

    /// <returns>The time until all honest names were renewed.</returns>
    public async Task<TimeSpan> UntilRenewedAsync(TimeSpan limit)
    {
        var start = _clock.Now;
        await UntilAsync(() => Renewed >= _honest, limit);
        var taken = _clock.Now - start;
        await FinishAsync(_process.StopAsync());
        return taken;
    }

    /// <summary>Lets time pass, and ends the process.</summary>
    public async Task PassAsync(TimeSpan span)
    {
        var end = _clock.Now + span;
        await UntilAsync(() => _clock.Now >= end, span);
        await FinishAsync(_process.StopAsync());
    }

    public void Dispose() => _mint.Dispose();

    private async Task StartAsync(IAcmeStorage store)
    {
        _process = new SimulatedProcess(_authority, store, _configuration, new IssuanceSettings(), _jitter);
        await FinishAsync(_process.LoadAsync());
        _process.Start();
    }

    private async Task UntilAsync(Func<bool> done, TimeSpan limit)
    {
        var end = _clock.Now + limit;
        await Quiet.WhenIdleAsync();
        while (!done())
        {
            if (_clock.Now >= end)
            {
                throw new TimeoutException($"Not done within {limit}: {Renewed} of {_honest} are renewed.");
            }

            _clock.Machine.AdvanceToNextTimer();
            await Quiet.WhenIdleAsync();
        }
    }

    private async Task FinishAsync(Task ending)
    {
        await UntilAsync(() => ending.IsCompleted, TimeSpan.FromDays(1));
        await ending;
    }
}
