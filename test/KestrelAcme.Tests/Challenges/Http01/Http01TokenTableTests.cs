using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

public sealed class Http01TokenTableTests : IDisposable
{
    private const string Token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
    private const string Answer = Token + "." + FakeThumbprints.Ours;

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
        await table.AddAsync(Token, Answer, FakeThumbprints.Challenge(Token), Cancelled);
        await table.AddAsync(Token, Answer, FakeThumbprints.Challenge(Token), Cancelled);

        await table.RemoveAsync(Token, Cancelled);
        Assert.Equal(Answer, await table.FindAsync(Token, null, true, Cancelled));
        Assert.Equal(Answer, await replica.FindAsync(Token, null, true, Cancelled));

        await table.RemoveAsync(Token, Cancelled);
        Assert.Null(await table.FindAsync(Token, null, true, Cancelled));
        Assert.Null(await replica.FindAsync(Token, null, true, Cancelled));
    }

    [Fact]
    public async Task Remove_AnotherInstanceHasTheSameToken_IsSharedUntilThatOneIsDone()
    {
        var storage = new InMemoryStorage();
        var (first, second, replica) = (Table(storage), Table(storage), Table(storage));
        await first.AddAsync(Token, Answer, FakeThumbprints.Challenge(Token), Cancelled);
        await second.AddAsync(Token, Answer, FakeThumbprints.Challenge(Token), Cancelled);

        await second.RemoveAsync(Token, Cancelled);
        Assert.Equal(Answer, await replica.FindAsync(Token, null, true, Cancelled));

        await first.RemoveAsync(Token, Cancelled);
        Assert.Null(await replica.FindAsync(Token, null, true, Cancelled));
    }

    [Fact]
    public async Task Remove_AnotherInstanceResumedTheOrder_TheOneThatLeftItBehindIsNotWaitedFor()
    {
        var storage = new InMemoryStorage();
        var (before, after, replica) = (Table(storage), Table(storage), Table(storage));
        var challenge = FakeThumbprints.Challenge(Token) with { Order = "0123456789abcdef" };
        await before.AddAsync(Token, Answer, challenge, Cancelled);
        await after.AddAsync(Token, Answer, challenge, Cancelled);

        await after.RemoveAsync(Token, Cancelled);
        Assert.Null(await replica.FindAsync(Token, null, true, Cancelled));

        await before.RemoveAsync(Token, Cancelled);
        Assert.Empty(await storage.ListAsync("challenges/", Cancelled).ToListAsync(Cancelled));
    }

    [Fact]
    public async Task Remove_TheOrderWasResumedByAnotherInstance_IsSharedUntilThatOneIsDone()
    {
        var storage = new InMemoryStorage();
        var (before, after, replica) = (Table(storage), Table(storage), Table(storage));
        var challenge = FakeThumbprints.Challenge(Token) with { Order = "0123456789abcdef" };
        await before.AddAsync(Token, Answer, challenge, Cancelled);
        await after.AddAsync(Token, Answer, challenge, Cancelled);

        await before.RemoveAsync(Token, Cancelled);

        Assert.Equal(Answer, await replica.FindAsync(Token, null, true, Cancelled));
    }

    [Fact]
    public async Task Remove_AnotherInstanceDiedADayAgo_IsNotKeptForIt()
    {
        var storage = new InMemoryStorage(_time);
        await Table(storage).AddAsync(Token, Answer, FakeThumbprints.Challenge(Token), Cancelled);
        _time.Advance(TimeSpan.FromDays(2));
        var table = Table(storage);
        await table.AddAsync(Token, Answer, FakeThumbprints.Challenge(Token), Cancelled);

        await table.RemoveAsync(Token, Cancelled);

        Assert.Null(await Table(storage).FindAsync(Token, null, true, Cancelled));
    }

    [Fact]
    public async Task Find_StoreHangs_ExcessRequestsFailAtOnceAndAreLoggedOnce()
    {
        using var hung = new CancellationTokenSource();
        var table = Table(new HangingStorage());
        var waiting = Enumerable.Range(0, SharedResponseReader.MaxWaiting)
            .Select(i => table.FindAsync($"unknown{i}", null, true, hung.Token).AsTask())
            .ToList();

        for (var i = 0; i < 50; i++)
        {
            var find = table.FindAsync($"more{i}", null, true, Cancelled);
            Assert.True(find.IsCompleted);
            Assert.Null(await find);
        }

        Assert.DoesNotContain(waiting, w => w.IsCompleted);
        Assert.Single(_log.Lines);
        await hung.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(waiting));
    }

    /// <summary>Each new name on demand is tried with a token, and strangers come with ever new ones.</summary>
    [Fact]
    public async Task Add_StoreFails_IsLoggedOnceAMinute()
    {
        var table = Table(new FailingStorage(new InMemoryStorage(_time)) { Unwritable = static _ => true });
        for (var i = 0; i < 50; i++)
        {
            await table.AddAsync($"token{i}", Answer, FakeThumbprints.Challenge($"token{i}"), Cancelled);
        }

        Assert.Single(_log.Lines, l => l.Event.Name == "TokenNotShared");

        _time.Advance(TimeSpan.FromMinutes(1));
        await table.AddAsync("later", Answer, FakeThumbprints.Challenge("later"), Cancelled);
        Assert.Equal(2, _log.Lines.Count(l => l.Event.Name == "TokenNotShared"));
    }

    public void Dispose() => _loggers.Dispose();

    private Http01TokenTable Table(IAcmeStorage storage)
        => new(BoundedFixture.Around(storage), new FakeThumbprints(), _time, new Logger<Http01TokenTable>(_loggers));
}
