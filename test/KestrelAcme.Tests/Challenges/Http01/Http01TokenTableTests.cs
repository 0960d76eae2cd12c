using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

public sealed class Http01TokenTableTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogRecorder _log = new();
    private readonly LoggerFactory _loggers;

    public Http01TokenTableTests() => _loggers = new LoggerFactory([_log]);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Remove_AddedTwice_IsAnsweredUntilTheSecond()
    {
        var storage = new InMemoryStorage();
        var table = Table(storage);
        var replica = Table(storage);
        await table.AddAsync("token", "answer", Cancelled);
        await table.AddAsync("token", "answer", Cancelled);

        await table.RemoveAsync("token", Cancelled);
        Assert.Equal("answer", await table.FindAsync("token", null, Cancelled));
        Assert.Equal("answer", await replica.FindAsync("token", null, Cancelled));

        await table.RemoveAsync("token", Cancelled);
        Assert.Null(await table.FindAsync("token", null, Cancelled));
        Assert.Null(await replica.FindAsync("token", null, Cancelled));
    }

    [Fact]
    public async Task Remove_AnotherInstanceHasTheSameToken_IsSharedUntilThatOneIsDone()
    {
        var storage = new InMemoryStorage();
        var (first, second, replica) = (Table(storage), Table(storage), Table(storage));
        await first.AddAsync("token", "answer", Cancelled);
        await second.AddAsync("token", "answer", Cancelled);

        await second.RemoveAsync("token", Cancelled);
        Assert.Equal("answer", await replica.FindAsync("token", null, Cancelled));

        await first.RemoveAsync("token", Cancelled);
        Assert.Null(await replica.FindAsync("token", null, Cancelled));
    }

    [Fact]
    public async Task Remove_AnotherInstanceDiedADayAgo_IsNotKeptForIt()
    {
        var storage = new InMemoryStorage(_time);
        await Table(storage).AddAsync("token", "answer", Cancelled);
        _time.Advance(TimeSpan.FromDays(2));
        var table = Table(storage);
        await table.AddAsync("token", "answer", Cancelled);

        await table.RemoveAsync("token", Cancelled);

        Assert.Null(await Table(storage).FindAsync("token", null, Cancelled));
    }

    [Fact]
    public async Task Find_StoreHangs_ExcessRequestsFailAtOnceAndAreLoggedOnce()
    {
        using var hung = new CancellationTokenSource();
        var table = Table(new HangingStorage());
        var waiting = Enumerable.Range(0, SharedResponseReader.MaxWaiting)
            .Select(i => table.FindAsync($"unknown{i}", null, hung.Token).AsTask())
            .ToList();

        for (var i = 0; i < 50; i++)
        {
            var find = table.FindAsync($"more{i}", null, Cancelled);
            Assert.True(find.IsCompleted);
            Assert.Null(await find);
        }

        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        Assert.Single(_log.Lines);
        await hung.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
    }

    public void Dispose() => _loggers.Dispose();

    private Http01TokenTable Table(IAcmeStorage storage)
        => new(BoundedFixture.Around(storage), _time, new Logger<Http01TokenTable>(_loggers));
}
