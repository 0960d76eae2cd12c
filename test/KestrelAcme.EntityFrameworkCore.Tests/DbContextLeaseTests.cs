using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>Leases by the database's clock, and numbers that never go back.</summary>
public sealed class DbContextLeaseTests : IAsyncDisposable
{
    private const string Name = "orders/example.com";
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private DbContextFixture? _fixture;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _fixture?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Theory]
    [InlineData(Kind.Sqlite)]
    [InlineData(Kind.PostgreSql)]
    public async Task WriteAsync_HolderWasStoppedPastTheEnd_IsRefused(Kind kind)
    {
        // Like a process after SIGSTOP and SIGCONT: its own clock has not moved, so that only the database knows.
        _fixture = await DbContextFixture.CreateAsync(kind);
        var stopped = _fixture.Open(new FakeTimeProvider());
        var other = _fixture.Open(TimeProvider.System);
        var lease = await stopped.TryAcquireLeaseAsync(Name, TimeSpan.FromSeconds(1), Token);
        Assert.NotNull(lease);
        IStorageLease? next = null;
        await Poll.UntilAsync(
            async token => (next = await other.TryAcquireLeaseAsync(Name, Long, token)) is not null,
            "the lease to expire by the database's clock",
            cancellationToken: Token);
        await other.WriteAsync("a", "new"u8.ToArray(), next, Token);

        Assert.False(lease.Lost.IsCancellationRequested);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await stopped.WriteAsync("a", "old"u8.ToArray(), lease, Token));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.False(await lease.RenewAsync(Token));
        await lease.DisposeAsync();
        Assert.Null(await stopped.TryAcquireLeaseAsync(Name, Long, Token));
        Assert.True((await stopped.ReadAsync("a", Token))!.Value.Span.SequenceEqual("new"u8));
    }

    [Theory]
    [InlineData(Kind.Sqlite, "strftime(")]
    [InlineData(Kind.PostgreSql, "now()")]
    public async Task AnyMember_OfALease_TakesTheTimeFromTheDatabase(Kind kind, string function)
    {
        _fixture = await DbContextFixture.CreateAsync(kind);
        var storage = _fixture.Open(TimeProvider.System);
        _fixture.Commands.Statements.Clear();
        var lease = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        Assert.True(await lease!.RenewAsync(Token));
        await storage.WriteAsync("a", "1"u8.ToArray(), lease, Token);
        await lease.DisposeAsync();

        // Acquired, renewed, and locked for the write.
        Assert.True(_fixture.Commands.Statements.Count(text => text.Contains(function, StringComparison.Ordinal)) >= 3);
        Assert.False(_fixture.Commands.HasTimeParameter);
    }

    [Theory]
    [InlineData(Kind.Sqlite)]
    [InlineData(Kind.PostgreSql)]
    public async Task CheckAsync_LeaseEndedTwoDaysAgo_IsForgottenAndNumbersGrow(Kind kind)
    {
        _fixture = await DbContextFixture.CreateAsync(kind);
        var storage = _fixture.Open(TimeProvider.System);
        var old = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        await (await storage.TryAcquireLeaseAsync("orders/new.com", Long, Token))!.DisposeAsync();
        await _fixture.ChangeAsync(context => context.Set<AcmeHttpsEntry>().IgnoreQueryFilters().Where(e => e.Key == "l/" + Name)
            .ExecuteUpdateAsync(row => row.SetProperty(e => e.Expires, e => e.Expires!.Value.AddDays(-2)), Token));

        Assert.True((await storage.CheckAsync(Token)).Writable);

        await _fixture.ChangeAsync(async context => Assert.Equal(
            ["l/orders/new.com"],
            await context.Set<AcmeHttpsEntry>().IgnoreQueryFilters().Where(e => e.Key.StartsWith("l/")).Select(e => e.Key)
                .ToListAsync(Token)));
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a", "1"u8.ToArray(), old, Token));
        await using var next = await _fixture.Open(TimeProvider.System).TryAcquireLeaseAsync(Name, Long, Token);
        Assert.True(next!.FencingNumber > old!.FencingNumber);
    }

    [Theory]
    [InlineData(Kind.Sqlite)]
    [InlineData(Kind.PostgreSql)]
    public async Task FencingNumber_TableWasRestoredFromABackup_Grows(Kind kind)
    {
        _fixture = await DbContextFixture.CreateAsync(kind);
        var storage = _fixture.Open(TimeProvider.System);
        var lease = await storage.TryAcquireLeaseAsync(Name, Long, Token);
        await _fixture.ChangeAsync(context => context.Set<AcmeHttpsEntry>().IgnoreQueryFilters()
            .Where(e => e.Key == "l/" + Name).ExecuteUpdateAsync(
                row => row.SetProperty(e => e.Number, 7).SetProperty(e => e.Owner, (string?)null), Token));

        await using var next = await _fixture.Open(TimeProvider.System).TryAcquireLeaseAsync(Name, Long, Token);

        Assert.True(next!.FencingNumber > lease!.FencingNumber);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await storage.WriteAsync("a", "1"u8.ToArray(), lease, Token));
    }
}
