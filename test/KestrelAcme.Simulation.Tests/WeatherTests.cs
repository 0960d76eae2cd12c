using Xunit;

namespace KestrelAcme.Simulation.Tests;

public sealed class WeatherTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly WeatherRates Rates = WeatherRates.None with { Stop = TimeSpan.FromHours(2) };

    [Fact]
    public void Draw_SameSeed_TheSameEventsInOrder()
    {
        var weather = Weather.Draw(7, Start, Start.AddDays(10), Rates);

        Assert.NotEmpty(weather.Events);
        Assert.Equal(weather.Events, Weather.Draw(7, Start, Start.AddDays(10), Rates).Events);
        Assert.Equal(weather.Events.OrderBy(e => e.At), weather.Events);
    }

    [Fact]
    public void Draw_OtherSeed_OtherEvents()
        => Assert.NotEqual(
            Weather.Draw(7, Start, Start.AddDays(10), Rates).Events, Weather.Draw(8, Start, Start.AddDays(10), Rates).Events);
}
