namespace KestrelAcme.Simulation.Tests;

/// <summary>Something that happens at an instant of the simulated time.</summary>
/// <param name="At">When, by the authority's clock.</param>
/// <param name="Kind">What.</param>
/// <param name="Amount">By how much, where that says something.</param>
/// <param name="Seed">Draws what else there is to draw.</param>
internal sealed record WeatherEvent(DateTimeOffset At, WeatherEventKind Kind, TimeSpan Amount, int Seed);
