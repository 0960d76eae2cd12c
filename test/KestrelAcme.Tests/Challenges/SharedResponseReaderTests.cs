using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.Bounded;
using Xunit;

namespace KestrelAcme.Tests.Challenges;

public sealed class SharedResponseReaderTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Find_SharedWhileAnEarlierReadIsUnderWay_IsFoundByTheNext()
    {
        var inner = new InMemoryStorage();
        var held = new HeldStorage(inner);
        var reader = Reader(held);
        var early = reader.FindAsync("a", Cancelled);
        await Poll.UntilAsync(() => held.Reads == 1, "the first read", cancellationToken: Cancelled);

        await Table(inner).AddAsync(FakeThumbprints.Challenge("a"), Cancelled);
        var late = Enumerable.Range(0, 50).Select(_ => reader.FindAsync("a", Cancelled)).ToList();
        held.Open();

        Assert.Null(await early);
        Assert.All(await Task.WhenAll(late), answer => Assert.Equal($"a.{FakeThumbprints.Ours}", answer));
        Assert.Equal(2, held.Reads);
    }

    [Fact]
    public async Task Find_ThousandNamesAtOnce_NoneIsRefusedAndFewReadsAreMade()
    {
        var watched = new GatedStorage(new InMemoryStorage()) { Holds = static _ => false };
        await Table(watched).AddAsync(FakeThumbprints.Challenge("n500"), Cancelled);
        var reader = Reader(watched);

        var found = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => reader.FindAsync($"n{i}", Cancelled)));

        Assert.Equal($"n500.{FakeThumbprints.Ours}", found[500]);
        Assert.Equal(999, found.Count(answer => answer is null));
    }

    [Fact]
    public async Task Find_StoreFails_AllWaitersFail()
    {
        var reader = Reader(new FailingReads());

        var asked = Enumerable.Range(0, 100).Select(i => reader.FindAsync($"n{i % 40}", Cancelled)).ToList();

        foreach (var one in asked)
        {
            await Assert.ThrowsAsync<StorageUnavailableException>(() => one);
        }
    }

    [Fact]
    public async Task Find_TheFirstReadIsLost_IsReadAgainWhileTheAuthorityWaits()
    {
        var (time, inner) = (new FakeTimeProvider(), new InMemoryStorage());
        await Table(inner).AddAsync(FakeThumbprints.Challenge("a"), Cancelled);
        var held = new HeldStorage(inner) { HoldsFirstOnly = true };
        var find = Reader(held, time).FindAsync("a", Cancelled);

        await time.RunUntilCompleteAsync(find, TimeSpan.FromSeconds(4), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.Equal($"a.{FakeThumbprints.Ours}", await find);
        Assert.Equal(2, held.Reads);
    }

    [Fact]
    public async Task Find_TheFirstReadIsSlow_ItsAnswerCounts()
    {
        var (time, inner) = (new FakeTimeProvider(), new InMemoryStorage());
        await Table(inner).AddAsync(FakeThumbprints.Challenge("a"), Cancelled);
        var held = new HeldStorage(inner);
        var find = Reader(held, time).FindAsync("a", Cancelled);
        await time.WhenWaitingAsync(2, Cancelled);
        time.Advance(TimeSpan.FromSeconds(4));
        await Poll.UntilAsync(() => held.Reads == 2, "the second read", cancellationToken: Cancelled);

        held.Open();

        Assert.Equal($"a.{FakeThumbprints.Ours}", await find);
    }

    [Fact]
    public async Task Find_TheFirstReadFails_IsReadAgainASecondLater()
    {
        var (time, inner) = (new FakeTimeProvider(), new InMemoryStorage());
        await Table(inner).AddAsync(FakeThumbprints.Challenge("a"), Cancelled);
        var counting = new CountingStorage(inner) { Fails = true };
        var find = Reader(counting, time).FindAsync("a", Cancelled);
        await time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(1), Cancelled);
        counting.Fails = false;

        await time.RunUntilCompleteAsync(find, TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.Equal($"a.{FakeThumbprints.Ours}", await find);
    }

    private static SharedResponseReader Reader(IAcmeStorage storage, TimeProvider? time = null)
        => new(Table(storage), time ?? TimeProvider.System);

    private static SharedChallengeTable<string> Table(IAcmeStorage storage)
        => new(
            "http-01", c => c.Token, (c, thumbprint) => $"{c.Token}.{thumbprint}", BoundedFixture.Around(storage), new FakeThumbprints(),
            TimeProvider.System);

    /// <summary>A store whose reads block until released, and return what was stored before that.</summary>
    private sealed class HeldStorage(IAcmeStorage inner) : DelegatingStorage(inner)
    {
        private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _reads;

        public int Reads => Volatile.Read(ref _reads);

        /// <summary>Whether later reads do not block.</summary>
        public bool HoldsFirstOnly { get; init; }

        public void Open() => _open.TrySetResult();

        public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
        {
            var value = await base.ReadAsync(key, cancellationToken);
            if (Interlocked.Increment(ref _reads) == 1 || !HoldsFirstOnly)
            {
                await _open.Task.WaitAsync(cancellationToken);
            }

            return value;
        }
    }

    private sealed class FailingReads() : DelegatingStorage(new InMemoryStorage())
    {
        public override ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
            => throw new StorageUnavailableException("away");

        public override IAsyncEnumerable<StorageEntry> ReadManyAsync(
            IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default)
            => throw new StorageUnavailableException("away");

        public override IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
            => throw new StorageUnavailableException("away");

        public override ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
            => new(new StorageHealth(Readable: false, Writable: false, Durable: true, "here", "away"));
    }
}
