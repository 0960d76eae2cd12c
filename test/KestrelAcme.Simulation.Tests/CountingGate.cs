using KestrelAcme.Certificates.RateLimits;


namespace KestrelAcme.Simulation.Tests;

/// <summary>Counts how often the scheduler looks.</summary>
internal sealed class CountingGate(IWorkGate gate) : IWorkGate
{
    private int _looks;

    public int Looks => _looks;

    public int Places(WorkLane lane)
    {
        Interlocked.Increment(ref _looks);
        return gate.Places(lane);
    }

    public DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now) => gate.TryStart(lane, now);
}
