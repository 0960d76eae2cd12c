using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>Sixty simulated days of all that goes wrong, over real HTTP.</summary>
[Long]
[Collection(nameof(Alone))]
public sealed class SixtyDaysTests(ITestOutputHelper output)
{
    private const int FixedSeed = 20261121;
    private const int Whole = 60;
    private const int Names = 20;

    private static readonly int Days = Math.Min(Whole, Simulation.Number("DAYS", Whole));
    private static readonly int Seed = Simulation.Number("SEED", FixedSeed);

    // A year's worth of trouble in two months.
    private static readonly WeatherRates Rates = new()
    {
        Trouble = TimeSpan.FromDays(3),
        ClockStep = TimeSpan.FromDays(12),
        Stop = TimeSpan.FromDays(2),
        WindowsMove = TimeSpan.FromDays(6),
        Revocation = TimeSpan.FromDays(4),
    };

    [Fact]
    public async Task SixtyDays_OfTrouble_NothingLapsesAndNobodyIsAnnoyed() => await Simulation.RunAsync(RunAsync);

    private async Task RunAsync()
    {
        var clock = new SimulatedClock();
        var end = clock.Start.AddDays(Days);
        var weather = Weather.Draw(Seed, clock.Start, clock.Start.AddDays(Whole), Rates);
        await using var authority = await LocalAuthorityWorld.StartAsync(clock, weather, Seed, TestContext.Current.CancellationToken);
        var world = new SimulatedWorld(authority, SimulatedConfiguration.Create(Certificates(), authority.DirectoryUrl), Seed);
        try
        {
            await world.RunAsync(end);
        }
        finally
        {
            output.WriteLine($"at {clock.Now:u}, the machine's {clock.Machine.GetUtcNow():u}\n{world.Log}");
        }

        var audit = new RenewalAudit(weather, end);
        audit.Judge(authority.Issued);
        output.WriteLine(
            $"{authority.OrdersMade} orders, {authority.Issued.Count} certificates, ideal {audit.Ideal:0}; "
            + $"{weather.Blocked.Count} troubles, {world.Restarts} restarts, {world.KilledInOrders} of them in an order, "
            + $"{authority.Traffic.Total} requests");
        output.WriteLine(audit.ToString());
        Assert.Empty(audit.Violations);
        Assert.InRange(authority.OrdersMade / audit.Ideal, 0.97, 1.03);
        Assert.Equal(1, authority.AccountsMade);
    }

    private static IEnumerable<CertificateSpecification> Certificates()
        => SimulatedConfiguration.Names("n", Names)
            .Select(
                (name, i) => SimulatedConfiguration.Specification(
                    name, "dns-01", i % 2 == 0 ? LocalAuthorityWorld.SixWeeks : LocalAuthorityWorld.SixDays));
}
