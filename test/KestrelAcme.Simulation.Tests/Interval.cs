namespace KestrelAcme.Simulation.Tests;

/// <summary>A span of the simulated time, by the authority's clock; the end is not part of it.</summary>
internal readonly record struct Interval(DateTimeOffset Start, DateTimeOffset End)
{
    public TimeSpan Length => End - Start;

    public bool Contains(DateTimeOffset at) => at >= Start && at < End;
}
