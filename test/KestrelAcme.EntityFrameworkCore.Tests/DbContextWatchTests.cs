using System.Collections.Concurrent;
using KestrelAcme.Testing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>Changes by other instances, noticed by polling.</summary>
public sealed class DbContextWatchTests : IAsyncLifetime
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
    private readonly ConcurrentQueue<string?> _seen = new();
    private readonly FakeTimeProvider _time = new();
    private DbContextFixture _fixture = null!;
    private Task _watching = Task.CompletedTask;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await DbContextFixture.CreateAsync(Kind.Sqlite, poll: Minute);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _fixture.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task WatchAsync_AtRest_OneStatementPerMinute()
    {
        await WatchAsync();
        _fixture.Commands.Statements.Clear();
        for (var minute = 1; minute <= 10; minute++)
        {
            await PassAsync();
            var expected = minute;
            await Poll.UntilAsync(() => _fixture.Commands.Statements.Count >= expected, $"poll {minute}", cancellationToken: Token);
        }

        await _time.WhenWaitingAsync(1, Token);
        Assert.Equal(10, _fixture.Commands.Statements.Count);
        Assert.Empty(_seen);
    }

    [Fact]
    public async Task WatchAsync_WrittenAndDeleted_ReportsTheseKeysOnly()
    {
        var other = _fixture.Open(TimeProvider.System);
        await other.WriteAsync("a/old", "1"u8.ToArray(), cancellationToken: Token);
        await other.WriteAsync("a/gone", "1"u8.ToArray(), cancellationToken: Token);
        await WatchAsync();
        await other.WriteAsync("a/new", "1"u8.ToArray(), cancellationToken: Token);
        await other.DeleteAsync("a/gone", cancellationToken: Token);
        await PassAsync();

        await Poll.UntilAsync(() => _seen.Contains("a/new") && _seen.Contains("a/gone"), "both", cancellationToken: Token);
        Assert.Equal(2, _seen.Count);
    }

    [Theory]
    [InlineData("DELETE FROM AcmeHttps")]
    [InlineData("UPDATE AcmeHttps SET Number = Number - 1 WHERE Key = 'counter'")]
    [InlineData("UPDATE AcmeHttps SET Number = Number + 100000 WHERE Key = 'counter'")]
    public async Task WatchAsync_StoreWasEmptiedOrRestored_ReportsEverything(string statement)
    {
        await _fixture.Open(TimeProvider.System).WriteAsync("a/b", "1"u8.ToArray(), cancellationToken: Token);
        await WatchAsync();
        await _fixture.ChangeAsync(context => context.Database.ExecuteSqlRawAsync(statement, Token));
        await PassAsync();

        await Poll.UntilAsync(() => _seen.Contains(null), "everything", cancellationToken: Token);
    }

    [Fact]
    public async Task WatchAsync_TableIsGoneForAWhile_ReportsEverythingAndLogsBothOnce()
    {
        await WatchAsync();
        await _fixture.ChangeAsync(context => context.Database.ExecuteSqlRawAsync("ALTER TABLE AcmeHttps RENAME TO Away", Token));
        await PassAsync();
        await Poll.UntilAsync(() => _fixture.Log.Has("WatchLost"), "the warning", cancellationToken: Token);
        await PassAsync();
        await _fixture.ChangeAsync(context => context.Database.ExecuteSqlRawAsync("ALTER TABLE Away RENAME TO AcmeHttps", Token));
        await Poll.UntilAsync(
            () =>
            {
                _time.Advance(Minute);
                return _seen.Contains(null);
            },
            "everything",
            cancellationToken: Token);
        Assert.Single(_fixture.Log.Lines, line => line.Event.Name == "WatchLost");
        Assert.Single(_fixture.Log.Lines, line => line.Event.Name == "WatchRestored");
    }

    [Fact]
    public async Task DeleteAsync_ManyChangesLater_IsForgotten()
    {
        var storage = _fixture.Open(TimeProvider.System);
        await storage.WriteAsync("a/1", "1"u8.ToArray(), cancellationToken: Token);
        await storage.DeleteAsync("a/1", cancellationToken: Token);
        await storage.WriteAsync("a/2", "1"u8.ToArray(), cancellationToken: Token);
        await _fixture.ChangeAsync(context => context.Database.ExecuteSqlRawAsync(
            "UPDATE AcmeHttps SET Number = Number + 10001 WHERE Key = 'counter'", Token));

        await storage.DeleteAsync("a/2", cancellationToken: Token);

        await _fixture.ChangeAsync(async context => Assert.Equal(
            ["counter", "v/a/2"],
            await context.Set<AcmeHttpsEntry>().IgnoreQueryFilters().Select(e => e.Key).Order().ToListAsync(Token)));
    }

    private async Task WatchAsync()
    {
        var storage = _fixture.Open(_time);
        var begun = new TaskCompletionSource();
        _watching = Task.Run(
            async () =>
            {
                await foreach (var change in storage.WatchAsync("a/", _stop.Token))
                {
                    if (!begun.TrySetResult())
                    {
                        _seen.Enqueue(change.Key);
                    }
                }
            },
            Token);
        await Task.WhenAny(begun.Task, _watching);
    }

    private async Task PassAsync()
    {
        await _time.WhenWaitingAsync(1, Token);
        _time.Advance(Minute);
    }
}
