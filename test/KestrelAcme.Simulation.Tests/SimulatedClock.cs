using KestrelAcme.Testing;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Two clocks: the true time, which the authority goes by, and the machine's, which can be wrong.</summary>
internal sealed class SimulatedClock
{
    private readonly DateTimeOffset _start = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    public SimulatedClock() => Machine = new FakeTimeProvider(_start);

    public FakeTimeProvider Machine { get; }

    public DateTimeOffset Start => _start;

    /// <summary>The true time.</summary>
    public DateTimeOffset Now => _start.AddTicks(Machine.GetTimestamp());

    /// <summary>Steps the machine's clock to so much ahead of the true time.</summary>
    public void Step(TimeSpan ahead) => Machine.SetUtcNow(Now + ahead);
}
