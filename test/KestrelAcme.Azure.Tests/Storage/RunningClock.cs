using KestrelAcme.Testing;

namespace KestrelAcme.Azure.Tests.Storage;

/// <summary>A clock that runs in real time, and that a test can advance in addition.</summary>
internal sealed class RunningClock : IAsyncDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public RunningClock() => _running = RunAsync();

    /// <summary>The clock, which starts with the real time.</summary>
    public FakeTimeProvider Time { get; } = new(TimeProvider.System.GetUtcNow());

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (var last = TimeProvider.System.GetTimestamp(); ;)
        {
            await Task.Delay(Tick, TimeProvider.System, _stop.Token);
            var now = TimeProvider.System.GetTimestamp();
            Time.Advance(TimeProvider.System.GetElapsedTime(last, now));
            last = now;
        }
    }
}

/// <summary>Another machine's view of the clock: its date is wrong, its timers are not.</summary>
internal sealed class WrongClock(TimeProvider time, TimeSpan offset) : TimeProvider
{
    public override long TimestampFrequency => time.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + offset;

    public override long GetTimestamp() => time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        => time.CreateTimer(callback, state, dueTime, period);
}
