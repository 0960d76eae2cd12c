using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Five simulated years of all that goes wrong, on a model of an authority.</summary>
[Long]
[Collection(nameof(Alone))]
public sealed class FiveYearsTests(ITestOutputHelper output)
{
    private const int FixedSeed = 20261121;
    private const int Whole = 5 * 365;
    private const int LongLived = 175;
    private const int ShortLived = 25;

    private static readonly int Days = Math.Min(Whole, Simulation.Number("DAYS", Whole));
    private static readonly int Seed = Simulation.Number("SEED", FixedSeed);

    [Fact]
    public async Task FiveYears_OfTrouble_NothingLapsesAndNobodyIsAnnoyed() => await Simulation.RunAsync(RunAsync);

    private async Task RunAsync()
    {
        var clock = new SimulatedClock();
        var end = clock.Start.AddDays(Days);
        using var mint = new CertificateMint(clock.Start);
        var weather = Weather.Draw(Seed, clock.Start, clock.Start.AddDays(Whole), new WeatherRates());
        var authority = new SimulatedAuthority(
            clock,
            weather,
            mint,
            name => name.StartsWith("short", StringComparison.Ordinal) ? TimeSpan.FromHours(160) : TimeSpan.FromDays(45),
            Seed);
        var names = SimulatedConfiguration.Names("long", LongLived).Concat(SimulatedConfiguration.Names("short", ShortLived));
        var world = new SimulatedWorld(authority, SimulatedConfiguration.Create(names), Seed);

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
            + $"{authority.WindowQuestions} questions for renewal information");
        output.WriteLine(audit.ToString());
        Assert.Empty(audit.Violations.Take(20));
        Assert.InRange(authority.OrdersMade / audit.Ideal, 0.97, 1.03);
        Assert.Equal(1, authority.AccountsMade);
    }
}
