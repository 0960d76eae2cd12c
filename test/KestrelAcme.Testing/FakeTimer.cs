namespace KestrelAcme.Testing;

/// <summary>A timer of <see cref="FakeTimeProvider"/>, whose lock guards its fields.</summary>
internal sealed class FakeTimer(FakeTimeProvider provider, TimerCallback callback, object? state) : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    public long Period { get; set; }

    public long Arming { get; set; }

    public bool Armed { get; set; }

    public bool Disposed { get; set; }

    public bool Change(TimeSpan dueTime, TimeSpan period) => provider.Arm(this, dueTime, period);

    public void Fire()
    {
        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, static timer => ((FakeTimer)timer!).Invoke(), this);
        }
    }

    public void Dispose() => provider.Disarm(this);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    internal static void Check(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
            // The limit of System.Threading.Timer: code that would fail in production fails here, too.
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(uint.MaxValue - 1), name);
        }
    }

    private void Invoke() => callback(state);
}
