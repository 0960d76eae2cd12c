using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Diagnostics;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>What is remembered of a store that fails, and counted.</summary>
public sealed class StorageMonitorTests : IDisposable
{
    private static readonly byte[] Value = [1];

    private readonly FakeTimeProvider _time = new();
    private readonly FailingStorage _failing;
    private readonly ServiceProvider _services;
    private readonly MetricReader _metrics;
    private readonly BoundedStorage _storage;

    public StorageMonitorTests()
    {
        _failing = new FailingStorage(new InMemoryStorage(_time));
        _services = new ServiceCollection().AddMetrics()
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton<AcmeHttpsMetrics>()
            .BuildServiceProvider();
        _metrics = new MetricReader(_services);
        var monitor = new StorageMonitor(_time, _services.GetRequiredService<AcmeHttpsMetrics>());
        _storage = new BoundedStorage(_failing, TimeSpan.FromMinutes(1), _time, monitor);
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _metrics.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task Fault_ReadFailsThenSucceeds_LastsAsLong()
    {
        _failing.Unreadable = _ => true;
        var since = _time.GetUtcNow();
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _storage.ReadAsync("a", Cancelled).AsTask());
        _time.Advance(TimeSpan.FromMinutes(5));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _storage.ReadAsync("b", Cancelled).AsTask());

        Assert.Equal(since, _storage.Monitor.Fault?.Since);
        Assert.Contains("'b'", _storage.Monitor.Fault?.Reason, StringComparison.Ordinal);
        Assert.True(_storage.Monitor.Failing.IsCompleted);

        _failing.Unreadable = _ => false;
        await _storage.ReadAsync("a", Cancelled);

        Assert.Null(_storage.Monitor.Fault);
        Assert.False(_storage.Monitor.Failing.IsCompleted);
    }

    [Fact]
    public async Task Fault_OnlyWritingFails_LastsUntilSomethingIsWritten()
    {
        _failing.Unwritable = key => key == "a";
        await using (await _storage.TryAcquireLeaseAsync("lease", TimeSpan.FromMinutes(1), Cancelled))
        {
            await Assert.ThrowsAsync<StorageUnavailableException>(() => _storage.WriteAsync("a", Value, null, Cancelled).AsTask());
        }

        await _storage.ReadAsync("a", Cancelled);
        await _storage.Within(TimeSpan.FromSeconds(1)).DeleteAsync("b", null, Cancelled);
        Assert.NotNull(_storage.Monitor.Fault);

        await _storage.WriteAsync("b", Value, null, Cancelled);
        Assert.Null(_storage.Monitor.Fault);
    }

    [Fact]
    public async Task Fault_CheckSucceeds_IsOver()
    {
        _failing.Unwritable = _ => true;
        await Assert.ThrowsAsync<StorageUnavailableException>(() => _storage.WriteAsync("a", Value, null, Cancelled).AsTask());

        await _storage.CheckAsync(Cancelled);

        Assert.Null(_storage.Monitor.Fault);
    }

    [Fact]
    public void Fault_CheckFindsItReadOnly_SaysSo()
    {
        _storage.Monitor.Checked(new StorageHealth(Readable: true, Writable: false, Durable: true, "/store", "/store is read-only."));

        Assert.Equal("/store is read-only.", _storage.Monitor.Fault?.Reason);
    }

    [Fact]
    public async Task Fault_CallerCancels_IsNone()
    {
        using var canceled = new CancellationTokenSource();
        await canceled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _storage.WithinAsync<bool>(
                StorageOperation.Read, "reading", token => throw new OperationCanceledException(token), canceled.Token));

        Assert.Null(_storage.Monitor.Fault);
        Assert.Equal(1, _metrics.Sum(Instruments.StorageOperations, "read", "canceled"));
    }

    [Fact]
    public async Task Count_EachOperation_IsCountedOnceWithItsOutcome()
    {
        await _storage.WriteAsync("x/a", Value, null, Cancelled);
        await _storage.WriteAsync("x/b", Value, null, Cancelled);
        await _storage.ReadAsync("x/a", Cancelled);
        await _storage.ReadManyAsync(["x/a", "x/b"], Cancelled).ToListAsync(Cancelled);
        await _storage.ListAsync("x/", Cancelled).ToListAsync(Cancelled);
        await _storage.DeleteAsync("x/a", null, Cancelled);
        await using (var lease = await _storage.TryAcquireLeaseAsync("lease", TimeSpan.FromMinutes(1), Cancelled))
        {
            await lease!.RenewAsync(Cancelled);
        }

        await _storage.CheckAsync(Cancelled);
        _failing.Unreadable = _ => true;
        await Assert.ThrowsAsync<StorageUnavailableException>(
            () => _storage.ReadManyAsync(["x/b"], Cancelled).ToListAsync(Cancelled).AsTask());

        var counted = _metrics.All.Where(v => v.Name == Instruments.StorageOperations)
            .GroupBy(v => $"{v.Tags[InstrumentTags.StorageOperation]} {v.Tags[InstrumentTags.Outcome]}")
                .Select(g => $"{g.Key} {g.Count()}");
        Assert.Equal(
            [
                "acquire_lease succeeded 1", "check succeeded 1", "delete succeeded 1", "list succeeded 1", "read succeeded 1",
                "read_many succeeded 1", "read_many unavailable 1", "release_lease succeeded 1", "renew_lease succeeded 1",
                "write succeeded 2",
            ],
            counted.Order(StringComparer.Ordinal));
    }
}
