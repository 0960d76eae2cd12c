using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Persistence;

/// <summary>Several instances fill an emptied store, and each order waits for all of them.</summary>
public sealed class StoreSentinelTests
{
    private static readonly TimeSpan WatchDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan StoreAnswer = TimeSpan.FromSeconds(2);

    private readonly FakeTimeProvider _time = new();
    private readonly LateStorage _storage = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MayBeFilledAsync_StoreReportsChangesLate_TrueUntilOthersMustHaveNoticed()
    {
        var sentinel = await StartAsync();
        await EmptyAsync();

        Assert.True(await sentinel.MayBeFilledAsync(Cancelled));
        Assert.True(await sentinel.IsEmptiedAsync(fills: true, Cancelled));

        Assert.True(await sentinel.MayBeFilledAsync(Cancelled));
        _time.Advance(WatchDelay + StoreAnswer - TimeSpan.FromSeconds(1));
        Assert.True(await sentinel.MayBeFilledAsync(Cancelled));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await sentinel.MayBeFilledAsync(Cancelled));
    }

    [Fact]
    public async Task MayBeFilledAsync_NothingToWriteBack_TrueUntilOthersMustHaveNoticed()
    {
        var sentinel = await StartAsync();
        await EmptyAsync();
        await WriteIdentityAsync(new("another"));

        Assert.False(await sentinel.IsEmptiedAsync(fills: false, Cancelled));

        Assert.True(await sentinel.MayBeFilledAsync(Cancelled));
        _time.Advance(WatchDelay + StoreAnswer);
        Assert.False(await sentinel.MayBeFilledAsync(Cancelled));
    }

    [Fact]
    public async Task MayBeFilledAsync_TwoFill_TrueForEachUntilTheOtherHasFinished()
    {
        var (first, second) = (await StartAsync(), await StartAsync());
        await EmptyAsync();
        Assert.True(await first.IsEmptiedAsync(fills: true, Cancelled));
        Assert.True(await second.IsEmptiedAsync(fills: true, Cancelled));
        _time.Advance(WatchDelay + StoreAnswer);

        Assert.True(await first.MayBeFilledAsync(Cancelled));
        Assert.True(await second.MayBeFilledAsync(Cancelled));

        await FinishAsync(first);
        Assert.True(await first.MayBeFilledAsync(Cancelled));
        Assert.False(await second.MayBeFilledAsync(Cancelled));

        await FinishAsync(second);
        Assert.False(await first.MayBeFilledAsync(Cancelled));
    }

    [Fact]
    public async Task BeginAsync_TwoFill_WaitsForBoth()
    {
        var (first, second) = (await StartAsync(), await StartAsync());
        await EmptyAsync();
        await first.IsEmptiedAsync(fills: true, Cancelled);
        await second.IsEmptiedAsync(fills: true, Cancelled);

        var started = Create().BeginAsync(Cancelled);
        await FinishAsync(second);
        await PassLookAsync();
        Assert.False(started.IsCompleted);

        await FinishAsync(first);
        await PassLookAsync();
        await started;
    }

    [Fact]
    public async Task BeginAsync_InstanceThatFillsWasKilled_WaitsHalfAMinuteAndForgetsIt()
    {
        var killed = await StartAsync();
        await EmptyAsync();
        await killed.IsEmptiedAsync(fills: true, Cancelled);
        var began = _time.GetUtcNow();

        await _time.RunUntilCompleteAsync(Create().BeginAsync(Cancelled), TimeSpan.FromMinutes(2), cancellationToken: Cancelled);

        Assert.InRange(_time.GetUtcNow() - began, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(32));
        Assert.Empty(await ListRecordsAsync());
        await Create().BeginAsync(Cancelled);
    }

    [Fact]
    public async Task AwaitFillingAsync_NobodyHasNoticedYet_WaitsAsLongAsThatMayTake()
    {
        var sentinel = await StartAsync();
        await EmptyAsync();
        var began = _time.GetUtcNow();

        await _time.RunUntilCompleteAsync(sentinel.AwaitFillingAsync(Cancelled), TimeSpan.FromMinutes(5), cancellationToken: Cancelled);

        Assert.InRange(_time.GetUtcNow() - began, WatchDelay + StoreAnswer, WatchDelay + StoreAnswer + TimeSpan.FromSeconds(1));
        Assert.True(await sentinel.IsEmptiedAsync(fills: true, Cancelled));
        Assert.False(await sentinel.MayBeFilledAsync(Cancelled));
    }

    [Fact]
    public async Task AwaitFillingAsync_EmptiedAgainMeanwhile_WaitsAnew()
    {
        var sentinel = await StartAsync();
        await EmptyAsync();
        await WriteIdentityAsync(new("another", WasFilled: true));
        var began = _time.GetUtcNow();
        var waiting = sentinel.AwaitFillingAsync(Cancelled);
        while (_time.GetUtcNow() - began < WatchDelay)
        {
            await PassLookAsync();
        }

        await EmptyAsync();
        await _time.RunUntilCompleteAsync(waiting, TimeSpan.FromMinutes(5), cancellationToken: Cancelled);

        Assert.True(_time.GetUtcNow() - began >= WatchDelay * 2 + StoreAnswer, $"{_time.GetUtcNow() - began}");
        Assert.NotNull(await _storage.ReadAsync(StorageLayout.Identity, Cancelled));
    }

    [Fact]
    public async Task BeginAsync_SameInstanceFillsTwice_WaitsForTheSecondTime()
    {
        var (first, second) = (await StartAsync(), await StartAsync());
        await EmptyAsync();
        await first.IsEmptiedAsync(fills: true, Cancelled);
        var firstRecord = Assert.Single(await ListRecordsAsync());
        await second.IsEmptiedAsync(fills: true, Cancelled);
        var secondRecord = Assert.Single(await ListRecordsAsync(), r => r != firstRecord);
        var started = Create().BeginAsync(Cancelled);
        await PassLookAsync();
        await FinishAsync(first);
        var began = _time.GetUtcNow();
        while (_time.GetUtcNow() - began < TimeSpan.FromSeconds(40))
        {
            await _storage.WriteAsync(secondRecord, Guid.NewGuid().ToByteArray(), cancellationToken: Cancelled);
            await PassLookAsync();
        }

        await WriteIdentityAsync(new("emptied again", WasFilled: true));
        await first.IsEmptiedAsync(fills: true, Cancelled);
        await FinishAsync(second);
        await PassLookAsync();

        Assert.False(started.IsCompleted);
        Assert.NotNull(await _storage.ReadAsync(firstRecord, Cancelled));
        await FinishAsync(first);
        await PassLookAsync();
        await started;
    }

    [Fact]
    public async Task BeginAsync_TwoStartOnAnEmptiedStore_BothWaitForAnAnswer()
    {
        var began = _time.GetUtcNow();
        var lease = await _storage.TryAcquireLeaseAsync(StorageLayout.IdentityLease, TimeSpan.FromMinutes(1), Cancelled);
        var (first, second) = (Create().BeginAsync(Cancelled), Create().BeginAsync(Cancelled));
        await lease!.DisposeAsync();

        var any = Task.WhenAny(first, second);
        await _time.RunUntilCompleteAsync(any, TimeSpan.FromMinutes(1), cancellationToken: Cancelled);

        Assert.True(_time.GetUtcNow() - began >= StoreAnswer, $"{_time.GetUtcNow() - began}");
        await _time.RunUntilCompleteAsync(Task.WhenAll(first, second), TimeSpan.FromMinutes(1), cancellationToken: Cancelled);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task MayBeFilledAsync_StoreWasAwayAtTheStartAndIsEmptyNow_AsksTheOthersFirst(bool isWatched)
    {
        _storage.IsAway = true;
        var sentinel = Create();
        await sentinel.BeginAsync(Cancelled);
        _storage.IsAway = false;
        if (isWatched)
        {
            Assert.False(await sentinel.IsEmptiedAsync(fills: true, Cancelled));
        }

        Assert.True(await sentinel.MayBeFilledAsync(Cancelled));
        var began = _time.GetUtcNow();
        await _time.RunUntilCompleteAsync(sentinel.AwaitFillingAsync(Cancelled), TimeSpan.FromMinutes(5), cancellationToken: Cancelled);
        Assert.True(_time.GetUtcNow() - began >= StoreAnswer, $"{_time.GetUtcNow() - began}");
        Assert.False(await sentinel.MayBeFilledAsync(Cancelled));
    }

    private static async Task FinishAsync(StoreSentinel sentinel)
    {
        using var finished = new CancellationTokenSource();
        await finished.CancelAsync();
        await sentinel.ReportAsync(finished.Token);
    }

    private async Task PassLookAsync()
    {
        await _time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(1), Cancelled);
        var asked = _storage.Lists;
        _time.Advance(_time.NextTimerDue!.Value);
        await Poll.UntilAsync(() => _storage.Lists > asked, "the next look", cancellationToken: Cancelled);
    }

    private Task<List<string>> ListRecordsAsync()
        => _storage.ListAsync(StorageLayout.FillingPrefix, Cancelled).ToListAsync(Cancelled).AsTask();

    private async Task<StoreSentinel> StartAsync()
    {
        if (await _storage.ReadAsync(StorageLayout.Identity, Cancelled) is null)
        {
            await WriteIdentityAsync(new("known"));
        }

        var sentinel = Create();
        await sentinel.BeginAsync(Cancelled);
        return sentinel;
    }

    private async Task EmptyAsync()
    {
        foreach (var key in await _storage.ListAsync("", Cancelled).ToListAsync(Cancelled))
        {
            await _storage.DeleteAsync(key, cancellationToken: Cancelled);
        }
    }

    private ValueTask WriteIdentityAsync(StoreIdentity identity)
        => _storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(identity), cancellationToken: Cancelled);

    private StoreSentinel Create() => new(
        BoundedFixture.Around(_storage, _time),
        new IssuanceSettings { StoreAnswer = StoreAnswer },
        _time,
        NullLogger<StoreSentinel>.Instance);

    /// <summary>A store on another machine that is polled.</summary>
    private sealed class LateStorage() : DelegatingStorage(new InMemoryStorage())
    {
        private int _lists;

        public override TimeSpan WatchDelay => StoreSentinelTests.WatchDelay;

        public bool IsAway { get; set; }

        /// <summary>How often it was asked who fills it.</summary>
        public int Lists => Volatile.Read(ref _lists);

        public override ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
            => IsAway ? throw new StorageUnavailableException("It is away.") : base.ReadAsync(key, cancellationToken);

        public override IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _lists);
            return base.ListAsync(prefix, cancellationToken);
        }
    }
}
