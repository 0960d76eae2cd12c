using System.Text;
using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Challenges;

public sealed class ReplicasTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage;

    public ReplicasTests() => _storage = new InMemoryStorage(_time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_Feed_RegistersAndLeavesWhenItStops()
    {
        await using var replica = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var record = Encoding.UTF8.GetString((await _storage.ReadAsync($"replicas/{replica.Replicas.Id}", Cancelled))!.Value.Span);
        Assert.Contains(Environment.MachineName, record, StringComparison.Ordinal);

        await replica.Feed.LeaveAsync();

        Assert.Empty(await _storage.ListAsync("replicas/", Cancelled).ToListAsync(Cancelled));
        await replica.Replicas.RegisterAsync(Cancelled);
        Assert.Empty(await _storage.ListAsync("replicas/", Cancelled).ToListAsync(Cancelled));
    }

    [Fact]
    public async Task Refresh_ARecordDoesNotChange_IsRemovedWithItsAcknowledgments()
    {
        var (living, dead) = (Replica(_time), Replica(_time));
        await living.RegisterAsync(Cancelled);
        await dead.RegisterAsync(Cancelled);
        await dead.AcknowledgeAsync(["0123456789abcdef"], Cancelled);

        for (var minutes = 0; minutes <= 10; minutes += 5)
        {
            await living.RefreshAsync(Cancelled);
            _time.Advance(Replicas.RefreshInterval);
        }

        Assert.Equal(2, await CountAsync("replicas/"));
        await living.RefreshAsync(Cancelled);
        Assert.Equal([$"replicas/{living.Id}"], await _storage.ListAsync("replicas/", Cancelled).ToListAsync(Cancelled));
        Assert.Equal(0, await CountAsync("challenges/acks/"));
    }

    [Fact]
    public async Task Refresh_ClocksDifferByDays_NobodyIsTakenForGone()
    {
        var ahead = new SkewedTimeProvider(_time, TimeSpan.FromDays(3));
        var replicas = new[] { Replica(_time), Replica(ahead), Replica(new SkewedTimeProvider(_time, -TimeSpan.FromDays(3))) };
        for (var i = 0; i < 20; i++)
        {
            foreach (var replica in replicas)
            {
                await replica.RefreshAsync(Cancelled);
            }

            _time.Advance(Replicas.RefreshInterval);
        }

        Assert.Equal(3, await CountAsync("replicas/"));
    }

    [Fact]
    public async Task Refresh_RemovedByMistake_IsThereAgain()
    {
        var replica = Replica(_time);
        await replica.RegisterAsync(Cancelled);
        await _storage.DeleteAsync($"replicas/{replica.Id}", null, Cancelled);

        await replica.RefreshAsync(Cancelled);

        Assert.Equal(1, await CountAsync("replicas/"));
    }

    [Fact]
    public async Task Await_RecordsThatNobodyOfOursWrote_CostTwoSecondsAtMost()
    {
        for (var i = 0; i < 700; i++)
        {
            await _storage.WriteAsync($"replicas/{i}", Encoding.UTF8.GetBytes(i % 2 == 0 ? "\n{" : new string('x', 1000)), null, Cancelled);
        }

        var replica = Replica(_time);
        var started = _time.GetUtcNow();

        await _time.RunUntilCompleteAsync(
            replica.AwaitAsync(["0123456789abcdef"], Cancelled), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.InRange((_time.GetUtcNow() - started).TotalSeconds, 1.9, 2.2);
    }

    private Replicas Replica(TimeProvider time)
        => new(Storage.Bounded.BoundedFixture.Around(_storage), time, new LogRecorder().For<Replicas>());

    private async Task<int> CountAsync(string prefix) => await _storage.ListAsync(prefix, Cancelled).CountAsync(Cancelled);

    private sealed class SkewedTimeProvider(TimeProvider inner, TimeSpan skew) : TimeProvider
    {
        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + skew;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => inner.CreateTimer(callback, state, dueTime, period);
    }
}
