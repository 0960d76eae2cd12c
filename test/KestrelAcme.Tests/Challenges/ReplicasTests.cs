using System.Runtime.CompilerServices;
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
            WaitOf(replica, _storage).AwaitAsync(["0123456789abcdef"], TimeSpan.Zero, Cancelled), TimeSpan.FromSeconds(10),
            TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.InRange((_time.GetUtcNow() - started).TotalSeconds, 1.9, 2.2);
    }

    [Fact]
    public async Task Await_OneAnswerOfTheStoreIsLost_IsAskedForAgain()
    {
        var (other, losing) = (Replica(_time), new LosingLists(_storage) { Lost = 1 });
        await other.RegisterAsync(Cancelled);
        var log = new LogRecorder();
        var replica = new Replicas(Storage.Bounded.BoundedFixture.Around(losing), _time, log.For<Replicas>());

        await _time.RunUntilCompleteAsync(
            WaitOf(replica, losing, log).AwaitAsync(["0123456789abcdef"], TimeSpan.Zero, Cancelled), TimeSpan.FromSeconds(10),
            TimeSpan.FromMilliseconds(50), Cancelled);

        // It knows of the other one, and has waited for it.
        Assert.True(log.Has("ReplicasSilent"));
    }

    [Fact]
    public async Task Await_TheStoreAnswersNothingAndOthersRun_IsUnavailable()
    {
        var (other, losing) = (Replica(_time), new LosingLists(_storage));
        await other.RegisterAsync(Cancelled);
        var replica = new Replicas(Storage.Bounded.BoundedFixture.Around(losing), _time, new LogRecorder().For<Replicas>());
        await replica.RefreshAsync(Cancelled);
        losing.Lost = int.MaxValue;

        // The challenge is submitted later.
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _time.RunUntilCompleteAsync(
            WaitOf(replica, losing).AwaitAsync(["0123456789abcdef"], TimeSpan.Zero, Cancelled), TimeSpan.FromMinutes(1),
            TimeSpan.FromMilliseconds(50), Cancelled));
    }

    // A busy store, or one that throttles, takes as long for each answer. Nothing is lost, and nothing is wrong with the order.
    [Theory]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(20)]
    public async Task Await_EachAnswerOfTheStoreIsLate_WaitsForTheOthersAllTheSame(int seconds)
    {
        var (other, slow) = (Replica(_time), new LosingLists(_storage) { Pause = TimeSpan.FromSeconds(seconds), Time = _time });
        await other.RegisterAsync(Cancelled);
        await other.AcknowledgeAsync(["0123456789abcdef"], Cancelled);
        var log = new LogRecorder();
        var replica = new Replicas(Storage.Bounded.BoundedFixture.Around(slow, _time), _time, log.For<Replicas>());
        var started = _time.GetUtcNow();

        await _time.RunUntilCompleteAsync(
            WaitOf(replica, slow, log).AwaitAsync(["0123456789abcdef"], TimeSpan.Zero, Cancelled), TimeSpan.FromMinutes(1),
            TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.False(log.Has("ReplicasSilent"));
        Assert.Equal(seconds, (_time.GetUtcNow() - started).TotalSeconds, tolerance: 0.1);
        Assert.InRange(slow.Asked, 2, 3);
    }

    [Fact]
    public async Task Await_TheStoreFailsTwice_IsAskedForTheThirdTime()
    {
        var (other, failing) = (Replica(_time), new LosingLists(_storage) { Failing = 2 });
        await other.RegisterAsync(Cancelled);
        await other.AcknowledgeAsync(["0123456789abcdef"], Cancelled);
        var replica = new Replicas(Storage.Bounded.BoundedFixture.Around(failing), _time, new LogRecorder().For<Replicas>());

        await _time.RunUntilCompleteAsync(
            WaitOf(replica, failing).AwaitAsync(["0123456789abcdef"], TimeSpan.Zero, Cancelled), TimeSpan.FromMinutes(1),
            TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.True(replica.AreOthersKnown);
    }

    private Replicas Replica(TimeProvider time)
        => new(Storage.Bounded.BoundedFixture.Around(_storage), time, new LogRecorder().For<Replicas>());

    private AcknowledgmentWait WaitOf(Replicas replicas, IAcmeStorage storage, LogRecorder? log = null)
        => new(replicas, Storage.Bounded.BoundedFixture.Around(storage), _time, (log ?? new LogRecorder()).For<AcknowledgmentWait>());

    private async Task<int> CountAsync(string prefix) => await _storage.ListAsync(prefix, Cancelled).CountAsync(Cancelled);

    /// <summary>A store that never answers some lists, fails, or takes its time for each.</summary>
    private sealed class LosingLists(IAcmeStorage inner) : DelegatingStorage(inner)
    {
        public int Lost { get; set; }

        public int Failing { get; set; }

        public TimeSpan Pause { get; init; }

        public TimeProvider Time { get; init; } = TimeProvider.System;

        public int Asked { get; private set; }

        public override async IAsyncEnumerable<string> ListAsync(
            string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            Asked++;
            if (Failing-- > 0)
            {
                throw new StorageUnavailableException("It fails.");
            }

            if (Pause > TimeSpan.Zero)
            {
                await Task.Delay(Pause, Time, cancellationToken);
            }

            if (Lost-- > 0)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }

            await foreach (var key in base.ListAsync(prefix, cancellationToken))
            {
                yield return key;
            }
        }
    }

    private sealed class SkewedTimeProvider(TimeProvider inner, TimeSpan skew) : TimeProvider
    {
        public override long TimestampFrequency => inner.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + skew;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
            => inner.CreateTimer(callback, state, dueTime, period);
    }
}
