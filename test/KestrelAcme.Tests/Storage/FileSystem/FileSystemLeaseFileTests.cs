using KestrelAcme.Storage;
using KestrelAcme.Storage.FileSystem;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>Lease files after crashes, with wrong clocks, and changed by other programs.</summary>
public sealed class FileSystemLeaseFileTests : IAsyncDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly FileSystemFixture _fixture = new();
    private readonly IAcmeStorage _storage;

    public FileSystemLeaseFileTests() => _storage = _fixture.Open();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Record => Path.Join(_fixture.Root, "~leases", "a~lease");

    private string Lock => Path.Join(_fixture.Root, "~leases", "a~lock");

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("{\"fencingNumber\":-4}")]
    [InlineData("{\"fencingNumber\":9223372036854775807}")]
    [InlineData("{\"fencingNumber\":1,\"durationSeconds\":1e300,\"owner\":\"x\"}")]
    [InlineData("{\"fencingNumber\":1,\"expires\":\"yesterday\",\"owner\":\"x\"}")]
    public async Task TryAcquireLeaseAsync_DamagedRecord_IsSetAsideAndTheNumberGrows(string content)
    {
        var before = await AcquireAndLeaveAsync();
        await File.WriteAllTextAsync(Record, content, Token);

        await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
        Assert.NotNull(lease);
        Assert.Equal(before + 1, lease.FencingNumber);
        Assert.Equal(content, await File.ReadAllTextAsync(Record + "~damaged", Token));
        Assert.Single(
            _fixture.Log.Lines,
            entry => entry.Event.Name == "LeaseRecordDamaged" && entry.Message.Contains(Record, StringComparison.Ordinal));
    }

    // Whoever disposed of the store may delete it. The claim of a caller that did not wait must not be written after that.
    [Fact]
    public async Task Dispose_CanceledCallerLeftWorkUnderWay_WaitsForItsEnd()
    {
        var storage = _fixture.OpenFileSystem();
        await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
        await storage.Sweep;
        using var started = new SemaphoreSlim(0);
        using var caller = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var left = new ManualResetEventSlim();
        using var disposed = new ManualResetEventSlim();
        var workEnded = false;
        _fixture.OnServerTime = () =>
        {
            started.Release();
            left.Wait(Token);

            // Long enough for the end of the store, if that does not wait.
            disposed.Wait(TimeSpan.FromMilliseconds(300), Token);
            Volatile.Write(ref workEnded, true);
        };
        var taking = storage.TryAcquireLeaseAsync("a", Minute, caller.Token).AsTask();
        await started.WaitAsync(Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);

        left.Set();
        storage.Dispose();
        disposed.Set();

        Assert.True(Volatile.Read(ref workEnded));
        Assert.Empty(Directory.GetDirectories(Path.Join(_fixture.Root, "~claims")));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            async () => await storage.TryAcquireLeaseAsync("a", Minute, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_RecordAndNumberDamaged_NumberStillGrows()
    {
        var before = await AcquireAndLeaveAsync();
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 2; i++)
        {
            await File.WriteAllTextAsync(Record, "{", Token);
            await File.WriteAllTextAsync(Lock, "not a number at all", Token);
            await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
            Assert.NotNull(lease);
            Assert.True(lease.FencingNumber > before);
            before = lease.FencingNumber;
            _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_RecordDeleted_NumberStillGrows()
    {
        var before = await AcquireAndLeaveAsync();
        File.Delete(Record);
        await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
        Assert.Equal(before + 1, lease!.FencingNumber);
    }

    [Fact]
    public async Task RenewAsync_RecordDamagedMeanwhile_IsRestored()
    {
        await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
        await File.WriteAllTextAsync(Record, "{", Token);
        Assert.Null(await _fixture.Open().TryAcquireLeaseAsync("a", Minute, Token));
        Assert.True(await lease!.RenewAsync(Token));
        await File.WriteAllTextAsync(Record, "", Token);
        await _storage.WriteAsync("k", new byte[1], lease, Token);
        Assert.Equal(lease.FencingNumber, LeaseFile.Read(Record).Record!.FencingNumber);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HolderOnAnotherMachine_WaitsForTheEndAndTheClocksTolerance()
    {
        await WriteRecordAsync(expires: _fixture.Time.GetUtcNow() + Minute, machine: "other");
        Assert.Null(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
        _fixture.Time.Advance(Minute);
        Assert.Null(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
        _fixture.Time.Advance(LeasePolicy.ClockTolerance);
        await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
        Assert.True(lease!.FencingNumber > 7);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_WrittenByAClockYearsAhead_IsFreeOnceItsDurationHasPassed()
    {
        await WriteRecordAsync(expires: _fixture.Time.GetUtcNow().AddYears(9), machine: "other");
        Assert.Null(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
        _fixture.Time.Advance(Minute);
        Assert.Null(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
        _fixture.Time.Advance(LeasePolicy.ClockTolerance);
        await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
        Assert.NotNull(lease);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HolderNamesAPath_IsNotFollowed()
    {
        await WriteRecordAsync(expires: _fixture.Time.GetUtcNow() + Minute, machine: MachineIdentity.Current, owner: "../k");
        await _storage.WriteAsync("k", new byte[1], cancellationToken: Token);
        Assert.Null(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HolderAliveInThisProcess_DoesNotCountAsDead()
    {
        await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
        var others = Enumerable.Range(0, 4).Select(_ => _fixture.Open()).ToList();
        for (var i = 0; i < 20; i++)
        {
            Assert.All(await Task.WhenAll(others.Select(other => other.TryAcquireLeaseAsync("a", Minute, Token).AsTask())), Assert.Null);
        }
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_HoldersStorageDisposed_WaitsForTheEnd()
    {
        var other = _fixture.OpenFileSystem();
        Assert.NotNull(await other.TryAcquireLeaseAsync("a", Minute, Token));
        other.Dispose();
        Assert.Null(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
        _fixture.Time.Advance(Minute);
        Assert.NotNull(await _storage.TryAcquireLeaseAsync("a", Minute, Token));
    }

    [Fact]
    public async Task Estimate_StoppedWhileItReadTheClock_IsNotBehind()
    {
        var stopped = new ServerClock(_fixture.Time, () =>
        {
            var now = _fixture.Time.GetUtcNow();
            _fixture.Time.Advance(Minute);
            return now;
        });
        await _storage.WriteAsync("k", new byte[1], cancellationToken: Token);

        Assert.NotNull(stopped.Read(Path.Join(_fixture.Root, "k")));
        Assert.True(stopped.Estimate() >= _fixture.Time.GetUtcNow());
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private async Task<long> AcquireAndLeaveAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            await using var lease = await _storage.TryAcquireLeaseAsync("a", Minute, Token);
            if (i == 2)
            {
                return lease!.FencingNumber;
            }
        }

        return 0;
    }

    private async Task WriteRecordAsync(DateTimeOffset expires, string machine, string owner = "0123456789abcdef0123456789abcdef")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Record)!);
        await File.WriteAllTextAsync(
            Record,
            $$"""
            {"owner":"{{owner}}","fencingNumber":7,"expires":"{{expires:O}}","durationSeconds":60,
            "machine":"{{machine}}","host":"h","processId":1}
            """,
            Token);
    }
}
