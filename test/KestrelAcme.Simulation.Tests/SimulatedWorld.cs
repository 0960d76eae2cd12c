using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Drives the time: lets happen what the weather brings, and lets the process do all that it does before time goes on.</summary>
internal sealed class SimulatedWorld(ISimulatedAuthority authority, ConfigurationSnapshot configuration, int seed)
{
    /// <summary>Time goes on by so much at once, where nothing is under way.</summary>
    private static readonly TimeSpan Stride = TimeSpan.FromMinutes(15);

    /// <summary>A timer that is due so soon belongs to something that is under way.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    // An order is about so many looks at the store and requests.
    private const int LongestOrder = 30;

    private static readonly IssuanceSettings Settings = new();
    private readonly InMemoryStorage _storage = new(authority.Clock.Machine);
    private readonly Random _jitter = new(seed);
    private readonly Queue<WeatherEvent> _events = new(authority.Weather.Events);
    private SimulatedProcess _process = null!;

    public EventCounter Log { get; } = new(authority.Clock);

    public int Restarts { get; private set; }

    /// <summary>How many of them were in the middle of an order.</summary>
    public int KilledInOrders { get; private set; }

    public SimulatedProcess Process => _process;

    public SimulatedClock Clock => authority.Clock;

    public async Task RunAsync(DateTimeOffset until)
    {
        await StartProcessAsync();
        while (Clock.Now < until)
        {
            await RunUntilAsync(NextTurn(until));
            if (_events.TryPeek(out var next) && next.At <= Clock.Now)
            {
                await HappenAsync(_events.Dequeue());
            }
        }

        await SettleAsync(_process.StopAsync());
    }

    /// <summary>When something happens next, or the weather turns.</summary>
    private DateTimeOffset NextTurn(DateTimeOffset until)
    {
        var turn = authority.Weather.NextTurn(Clock.Now);
        turn = _events.TryPeek(out var next) && next.At < turn ? next.At : turn;
        return turn < until ? turn : until;
    }

    private async Task RunUntilAsync(DateTimeOffset until)
    {
        while (true)
        {
            await authority.WhenIdleAsync();
            authority.Follow();
            if (_process.IsDead)
            {
                KilledInOrders++;
                await ReplaceAsync(_process.Kill());
                continue;
            }

            var left = until - Clock.Now;
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            var step = Clock.Machine.NextTimerDue is { } due && due <= Soon ? due : Stride;
            Clock.Machine.Advance(step < left ? step : left);
        }
    }

    private async Task HappenAsync(WeatherEvent happening)
    {
        switch (happening.Kind)
        {
            case WeatherEventKind.ClockStep:
                Clock.Step(happening.Amount);
                break;
            case WeatherEventKind.Crash:
                await ReplaceAsync(_process.Kill());
                break;
            case WeatherEventKind.CrashInOrder:
                _process.KillDuringOrder(happening.Seed % LongestOrder);
                break;
            case WeatherEventKind.Restart:
                await ReplaceAsync(_process.StopAsync());
                break;
            case WeatherEventKind.WindowsMove:
                MoveWindows(happening);
                break;
            default:
                await RevokeAsync(happening);
                break;
        }
    }

    private async Task ReplaceAsync(Task ending)
    {
        await SettleAsync(ending);
        Restarts++;
        await StartProcessAsync();
    }

    private async Task StartProcessAsync()
    {
        _process = new SimulatedProcess(authority, _storage, configuration, Settings, _jitter, Log);
        await SettleAsync(_process.LoadAsync());
        _process.Start();
    }

    /// <summary>Lets time pass until something has come to its end.</summary>
    private async Task SettleAsync(Task ending)
    {
        while (true)
        {
            await authority.WhenIdleAsync();
            authority.Follow();
            if (ending.IsCompleted)
            {
                await ending;
                return;
            }

            Clock.Machine.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private void MoveWindows(WeatherEvent happening)
    {
        foreach (var certificate in Pick(happening.Seed, share: 0.3))
        {
            var by = happening.Amount * (certificate.Lifetime / TimeSpan.FromDays(45));
            authority.Advise(certificate, certificate.Window.Start + by, certificate.Window.End + by);
        }
    }

    private async Task RevokeAsync(WeatherEvent happening)
    {
        var certificates = Pick(happening.Seed, share: 0.05);
        await authority.RevokeAsync(certificates, _process.Publisher.Served.Values);
        foreach (var certificate in certificates.Where(_ => happening.Kind == WeatherEventKind.RevocationWithAdvice))
        {
            authority.Advise(certificate, Clock.Now.AddHours(-2), Clock.Now.AddHours(-1));
        }
    }

    private List<SimulatedCertificate> Pick(int drawSeed, double share)
    {
        var random = new Random(drawSeed);
        return [.. authority.Current.OrderBy(c => c.Name, StringComparer.Ordinal)
            .Where(c => random.NextDouble() < share && c.ListedAt is null && c.NotAfter > Clock.Now)];
    }
}
