using System.Text;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>The primary is killed and its standby promoted, with and without the last transactions.</summary>
[Long]
public sealed class PostgreSqlFailoverTests : IAsyncLifetime
{
    private const string Name = "orders/example.com";
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private PostgreSqlPair _pair = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _pair = await PostgreSqlPair.StartAsync(Token);

    public async ValueTask DisposeAsync()
    {
        // Not if the servers are not installed.
        if (_pair is not null)
        {
            await _pair.DisposeAsync();
        }
    }

    [Fact]
    public async Task Failover_StandbyHasEverything_LeasesNumbersAndWatchesGoOn()
    {
        await _pair.Primary.ConfirmByStandbyAsync(Token);
        var storage = _pair.Open();
        var other = _pair.Open();
        // Like a process that was stopped: its own clock does not move.
        var stopped = _pair.Open(new FakeTimeProvider());
        var stale = await stopped.TryAcquireLeaseAsync("orders/stale", TimeSpan.FromSeconds(1), Token);
        var held = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        var seen = await _pair.WatchAsync(other, Token);
        await storage.WriteAsync("a/b", Bytes("last"), held, Token);
        await _pair.Primary.KillAsync();

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a/b", Token));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await held!.RenewAsync(Token));
        Assert.Contains("such as during a failover. KestrelAcme tries again.", failure.Message, StringComparison.Ordinal);
        Assert.False(held!.Lost.IsCancellationRequested);
        await _pair.Standby.PromoteAsync(Token);

        // At once: what Npgsql remembers of the hosts does not count.
        Assert.True(await held.RenewAsync(Token));
        Assert.Equal("last", await ReadAsync(other, "a/b"));
        Assert.Null(await other.TryAcquireLeaseAsync(Name, Long, Token));
        await Poll.UntilAsync(() => seen.Contains(null), "everything to be reported", cancellationToken: Token);
        await storage.WriteAsync("a/new", Bytes("1"), held, Token);
        await Poll.UntilAsync(() => seen.Contains("a/new"), "a notice of a change at the new primary", cancellationToken: Token);

        await AssertRefusedAsync(stopped, stale!, await AcquireAsync(other, "orders/stale"));
        await held.DisposeAsync();
        await AssertRefusedAsync(storage, held, await AcquireAsync(other, Name));
    }

    [Fact]
    public async Task Failover_LastTransactionsWereLost_NumbersGrowAndTheirHoldersAreRefused()
    {
        const string Returned = "orders/returned.com";
        var storage = _pair.Open();
        var watching = _pair.Open();
        var seen = await _pair.WatchAsync(watching, Token);
        await storage.WriteAsync("a/b", Bytes("old"), cancellationToken: Token);
        await (await storage.TryAcquireLeaseAsync(Name, Long, Token))!.DisposeAsync();
        var returned = await storage.TryAcquireLeaseAsync(Returned, Long, Token);
        await _pair.Standby.CatchUpAsync(Token);
        await _pair.Standby.StopFollowingAsync(Token);
        await returned!.DisposeAsync();
        var taken = await storage.TryAcquireLeaseAsync(Returned, Long, Token);
        IStorageLease? lost = null;
        for (var i = 0; i < 100; i++)
        {
            await (lost?.DisposeAsync() ?? default);
            lost = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        }

        await storage.WriteAsync("a/b", Bytes("new"), lost, Token);
        await _pair.FailOverAsync(Token);

        // An instance that has never seen the numbers that are lost.
        var other = _pair.Open();
        await AssertRefusedAsync(storage, lost!, await AcquireAsync(other, Name));
        Assert.Equal("old", await ReadAsync(storage, "a/b"));
        await Poll.UntilAsync(() => seen.Contains(null), "everything to be reported", cancellationToken: Token);

        // The new primary knows only of a holder that has released its lease. It ends by the clock.
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a/b", Bytes("new"), returned, Token));
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a/b", Bytes("new"), taken, Token));
        Assert.Null(await other.TryAcquireLeaseAsync(Returned, Long, Token));
        await _pair.ExecuteAsync(_pair.Standby, "UPDATE kestrelacme.leases SET expires = clock_timestamp()");
        await AssertRefusedAsync(storage, taken!, await AcquireAsync(other, Returned));
    }

    [Fact]
    public async Task AnyMember_StandbyDoesNotConfirm_IsUnavailable()
    {
        await _pair.Primary.ConfirmByStandbyAsync(Token);
        await _pair.Open().WriteAsync("a/b", Bytes("1"), cancellationToken: Token);
        await _pair.Standby.KillAsync();
        var storage = _pair.OpenImpatient();

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("a/b", Bytes("2"), cancellationToken: Token));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.TryAcquireLeaseAsync(Name, Long, Token));

        Assert.Contains("writing 'a/b' failed. No synchronous standby has confirmed it in time", failure.Message, StringComparison.Ordinal);
        Assert.Contains("synchronous_standby_names", failure.Message, StringComparison.Ordinal);
        await _pair.Standby.StartAgainAsync(Token);
        await _pair.Open().WriteAsync("a/b", Bytes("3"), cancellationToken: Token);
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<string> ReadAsync(PostgreSqlStorage storage, string key)
        => Encoding.UTF8.GetString((await storage.ReadAsync(key, Token))!.Value.Span);

    private static async Task<IStorageLease> AcquireAsync(PostgreSqlStorage storage, string name)
    {
        IStorageLease? lease = null;
        await Poll.UntilAsync(
            async token => (lease = await storage.TryAcquireLeaseAsync(name, Long, token)) is not null,
            $"the lease '{name}'",
            cancellationToken: Token);
        return lease!;
    }

    private static async Task AssertRefusedAsync(PostgreSqlStorage storage, IStorageLease earlier, IStorageLease later)
    {
        Assert.True(later.FencingNumber > earlier.FencingNumber, $"{later.FencingNumber} after {earlier.FencingNumber}");
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a/c", Bytes("1"), earlier, Token));
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.DeleteAsync("a/b", earlier, Token));
        Assert.Null(await storage.ReadAsync("a/c", Token));
    }
}
