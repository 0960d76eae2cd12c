using Xunit;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A name that can never be validated.</summary>
[Collection(nameof(Alone))]
public sealed class HopelessNameTests
{
    private const int Days = 20;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwentyDays_OfAHopelessName_FiveAttemptsOnTheFirstDayAndOneADayAfter(bool restarts)
        => await Simulation.RunAsync(() => RunAsync(restarts));

    private static async Task RunAsync(bool restarts)
    {
        var clock = new SimulatedClock();
        using var mint = new CertificateMint(clock.Start);
        var rates = restarts ? WeatherRates.None with { Stop = TimeSpan.FromHours(2) } : WeatherRates.None;
        var weather = Weather.Draw(seed: 7, clock.Start, clock.Start.AddDays(Days), rates);
        var authority = new SimulatedAuthority(clock, weather, mint, _ => TimeSpan.FromDays(45), seed: 7);
        authority.Hopeless.Add("hopeless.model.test");
        var world = new SimulatedWorld(authority, SimulatedConfiguration.Create(["hopeless.model.test", "good.model.test"]), seed: 7);

        await world.RunAsync(clock.Start.AddDays(Days));

        var byDay = authority.FailedValidations.GroupBy(at => (at - clock.Start).Days).ToDictionary(g => g.Key, g => g.Count());
        Assert.InRange(byDay[0], 2, 5);
        Assert.All(byDay.Where(d => d.Key > 0), day => Assert.Equal(1, day.Value));
        Assert.True(byDay.Count >= Days * 3 / 4, $"only {byDay.Count} days saw an attempt");
        Assert.Single(authority.Issued);
        Assert.Equal(restarts, world.Restarts > 100);
    }
}
