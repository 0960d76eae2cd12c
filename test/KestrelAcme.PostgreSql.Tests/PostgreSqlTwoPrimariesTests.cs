using System.Text;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>Two servers accept writes, because the old primary was not stopped, or came back on its own: what holds even then.</summary>
[Long]
public sealed class PostgreSqlTwoPrimariesTests : IAsyncLifetime
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
    public async Task WriteAsync_LeaseOfTheOldPrimary_CountsOnlyThere()
    {
        var left = _pair.Open();
        await left.WriteAsync("a/b", "before"u8.ToArray(), cancellationToken: Token);
        await _pair.Standby.CatchUpAsync(Token);
        await _pair.Standby.StopFollowingAsync(Token);
        await _pair.Standby.PromoteAsync(Token);
        var right = _pair.OpenAt(_pair.Standby);

        // No store can prevent that: each server decides on its own.
        var ofLeft = await left.TryAcquireLeaseAsync(Name, Long, Token);
        var ofRight = await right.TryAcquireLeaseAsync(Name, Long, Token);
        await left.WriteAsync("a/b", "left"u8.ToArray(), ofLeft, Token);
        await right.WriteAsync("a/b", "right"u8.ToArray(), ofRight, Token);
        await _pair.Primary.KillAsync();

        await Assert.ThrowsAsync<LeaseLostException>(async () => await left.WriteAsync("a/b", "left"u8.ToArray(), ofLeft, Token));
        Assert.True(ofLeft!.Lost.IsCancellationRequested);
        Assert.Equal("right", Encoding.UTF8.GetString((await left.ReadAsync("a/b", Token))!.Value.Span));
        await right.WriteAsync("a/b", "right"u8.ToArray(), ofRight, Token);
        await ofLeft.DisposeAsync();
        await ofRight!.DisposeAsync();
        await using var next = await left.TryAcquireLeaseAsync(Name, Long, Token);
        Assert.True(next!.FencingNumber > ofLeft.FencingNumber && next.FencingNumber > ofRight.FencingNumber);
    }

    [Fact]
    public async Task WatchAsync_OldPrimaryComesBack_FollowsTheServerThatIsWrittenTo()
    {
        var storage = _pair.Open(poll: TimeSpan.FromSeconds(1));
        await storage.WriteAsync("a/b", "1"u8.ToArray(), cancellationToken: Token);
        await _pair.Standby.CatchUpAsync(Token);
        await _pair.FailOverAsync(Token);
        var seen = await _pair.WatchAsync(storage, Token);

        await _pair.Primary.StartAgainAsync(Token);

        // Npgsql prefers the first host, so that this instance and others write to it again.
        var other = _pair.OpenAt(_pair.Primary);
        await Poll.UntilAsync(
            async token =>
            {
                await other.WriteAsync("a/c", "1"u8.ToArray(), cancellationToken: token);
                return seen.Contains("a/c");
            },
            "a notice of a change at the host that is written to",
            cancellationToken: Token);
        Assert.Contains(null, seen);
        var warning = Assert.Single(_pair.Log.Lines, line => line.Event.Name == "WatchLost");
        Assert.Contains(
            $"Both 127.0.0.1:{_pair.Standby.Port} and 127.0.0.1:{_pair.Primary.Port} accept writes",
            warning.Message,
            StringComparison.Ordinal);
        Assert.Contains("Stop the one that is not the primary", warning.Message, StringComparison.Ordinal);
    }
}
