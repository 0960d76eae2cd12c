namespace KestrelAcme.Simulation.Tests;

/// <summary>The mean time from the end of one event to the next of its kind.</summary>
internal sealed record WeatherRates
{
    /// <summary>Nothing ever happens.</summary>
    public static WeatherRates None { get; } = new()
    {
        Trouble = Never,
        ClockStep = Never,
        Stop = Never,
        WindowsMove = Never,
        Revocation = Never,
    };

    public TimeSpan Trouble { get; init; } = TimeSpan.FromDays(6);

    public TimeSpan ClockStep { get; init; } = TimeSpan.FromDays(30);

    public TimeSpan Stop { get; init; } = TimeSpan.FromDays(4);

    public TimeSpan WindowsMove { get; init; } = TimeSpan.FromDays(20);

    public TimeSpan Revocation { get; init; } = TimeSpan.FromDays(60);

    private static TimeSpan Never => TimeSpan.FromDays(100_000);
}
