namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>The true time, by which the authority goes, whatever the machine's clock says.</summary>
internal sealed class TrueTime(SimulatedClock clock) : TimeProvider
{
    public override long TimestampFrequency => clock.Machine.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => clock.Now;

    public override long GetTimestamp() => clock.Machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        => clock.Machine.CreateTimer(callback, state, dueTime, period);
}
