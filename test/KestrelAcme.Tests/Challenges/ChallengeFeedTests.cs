using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Challenges;

public sealed class ChallengeFeedTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage;

    public ChallengeFeedTests() => _storage = new InMemoryStorage(_time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Order_OtherInstancesRun_AllRespondBeforeItGoesOn()
    {
        var replicas = await StartAsync(5);
        var token = TestReplica.NewToken();

        await replicas[0].OrderAsync(token, Cancelled);

        foreach (var replica in replicas)
        {
            Assert.Equal($"{token}.{FakeThumbprints.Ours}", await replica.FindAsync(token));
        }

        await EndAsync(replicas);
    }

    [Theory]
    [InlineData(90, false)]
    [InlineData(120, true)]
    public async Task Start_StoreIsPolledForChanges_WarnsIfNoOrderWaitsForThat(int seconds, bool warns)
    {
        var polling = new PollingStorage(_storage, TimeSpan.FromSeconds(seconds), _time);

        await using var replica = await new TestReplica(polling, _time).StartAsync(Cancelled);

        Assert.Equal(warns, replica.Log.Lines.Any(line => line.Event.Name == "StorePolledRarely"));
    }

    [Fact]
    public async Task Order_TlsAlpn01_AllHaveTheCertificateBeforeItGoesOn()
    {
        var replicas = await StartAsync(3);
        var context = TestReplica.Context(TestReplica.NewToken(), "tls-alpn-01");

        await replicas[0].Tls.AddAsync(context, Cancelled);
        await replicas[0].Feed.AwaitAcknowledgmentAsync([context], isFirst: true, Cancelled);

        var certificate = replicas[2].Tls.Find("app.test")!.TargetCertificate;
        Assert.True(certificate.MatchesHostname("app.test"));
        Assert.NotEqual(certificate, replicas[1].Tls.Find("app.test")!.TargetCertificate);
        await EndAsync(replicas);
    }

    [Fact]
    public async Task Remove_TheOrderIsOver_OthersForgetIt()
    {
        var replicas = await StartAsync(2);
        var token = TestReplica.NewToken();
        await replicas[0].OrderAsync(token, Cancelled);

        await replicas[0].Http.RemoveAsync(token, Cancelled);

        await Poll.UntilAsync(
            async _ => await replicas[1].FindAsync(token) is null, "the end of the challenge", cancellationToken: Cancelled);
        await EndAsync(replicas);
    }

    [Fact]
    public async Task Order_TheTokenWasSharedBefore_EarlierAcknowledgmentDoesNotCount()
    {
        var counting = new CountingStorage(_storage);
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        await using var other = await new TestReplica(counting, _time).StartAsync(Cancelled);
        var token = TestReplica.NewToken();
        await ordering.OrderAsync(token, Cancelled);
        await ordering.Http.RemoveAsync(token, Cancelled);
        await Poll.UntilAsync(
            async _ => await other.FindAsync(token) is null, "the end of the challenge", cancellationToken: Cancelled);

        // It cannot learn of the challenge, and must not be taken for ready.
        counting.Fails = true;
        var again = ordering.OrderAsync(token, Cancelled);
        await _time.RunUntilCompleteAsync(again, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.True(ordering.Log.Has("ReplicasSilent"));
    }

    [Fact]
    public async Task Order_TlsAlpn01AndTheStorePolls_WaitsUntilOthersHaveLearned()
    {
        var polling = new PollingStorage(_storage, TimeSpan.FromMinutes(1), _time);
        await using var ordering = await new TestReplica(polling, _time).StartAsync(Cancelled);
        await using var other = await new TestReplica(polling, _time).StartAsync(Cancelled);

        var order = ordering.OrderTlsAsync(TestReplica.NewToken(), Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromMinutes(3), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.NotNull(other.Tls.Find("app.test"));
        Assert.False(ordering.Log.Has("ReplicasSilent"));
        Assert.True(ordering.Log.Has("AcknowledgmentsAwaited"));
    }

    [Theory]
    [InlineData("app.test", false)]
    [InlineData("added.test", true)]
    public async Task Order_Http01AndTheStorePolls_WaitsForLateOnesIfTheNameIsNewToThem(string name, bool waits)
    {
        var polling = new PollingStorage(_storage, TimeSpan.FromMinutes(1), _time);
        await using var ordering = await new TestReplica(polling, _time).StartAsync(Cancelled);
        await using var other = await new TestReplica(polling, _time).StartAsync(Cancelled);
        var token = TestReplica.NewToken();

        var order = ordering.OrderAsync(token, Cancelled, name);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromMinutes(3), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.Equal(waits, await other.FindAsync(token) is not null);
        Assert.Equal(!waits, ordering.Log.Has("ReplicasSilent"));
    }

    [Fact]
    public async Task Order_TheStoreWasEmptied_WaitsForThoseThatWereThere()
    {
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var counting = new CountingStorage(_storage);
        await using var other = await new TestReplica(counting, _time).StartAsync(Cancelled);
        await ordering.OrderAsync(TestReplica.NewToken(), Cancelled);
        counting.Fails = true;
        foreach (var key in await _storage.ListAsync("", Cancelled).ToListAsync(Cancelled))
        {
            await _storage.DeleteAsync(key, null, Cancelled);
        }

        var order = ordering.OrderAsync(TestReplica.NewToken(), Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.True(ordering.Log.Has("ReplicasSilent"));
        Assert.NotNull(await _storage.ReadAsync($"replicas/{ordering.Replicas.Id}", Cancelled));
    }

    [Fact]
    public async Task ForgetAllBut_AnAcknowledgedChallengeIsNotListed_IsKeptForAWhile()
    {
        await using var replica = new TestReplica(_storage, _time);
        var token = TestReplica.NewToken();
        var value = Encoding.UTF8.GetBytes(FakeThumbprints.Record(token));
        await replica.Http.Shared.LearnAsync($"challenges/http-01/{StorageKey.Hash(token)}", value, Cancelled);

        // The store was emptied while the CA validates, and is listed again and again.
        for (var i = 0; i < 3; i++)
        {
            replica.Http.Shared.ForgetAllBut(new HashSet<string>());
            Assert.Equal($"{token}.{FakeThumbprints.Ours}", await replica.FindAsync(token));
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(await replica.FindAsync(token));
    }

    [Fact]
    public async Task Follow_TheStoreWasEmptied_OpenChallengesAreSharedAgain()
    {
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var token = TestReplica.NewToken();
        await ordering.OrderAsync(token, Cancelled);
        var key = $"challenges/http-01/{StorageKey.Hash(token)}";
        await _storage.DeleteAsync(key, null, Cancelled);

        await ordering.Http.Shared.ShareAgainAsync(new HashSet<string>(), Cancelled);

        Assert.NotNull(await _storage.ReadAsync(key, Cancelled));
        await ordering.Http.RemoveAsync(token, Cancelled);
        Assert.Null(await _storage.ReadAsync(key, Cancelled));
    }

    [Fact]
    public async Task Order_AloneWithTheStore_WaitsForNobodyAndWritesNothingMore()
    {
        // Not an acknowledgment, which it writes once if it hears of its own challenge only after that was removed.
        var counting = new CountingStorage(_storage) { Prefix = "challenges/http-01/" };
        await using var alone = await new TestReplica(counting, _time).StartAsync(Cancelled);
        var token = TestReplica.NewToken();
        var writes = counting.Writes;

        // The fake clock stands still: what waits for time never ends.
        await alone.OrderAsync(token, Cancelled);
        await alone.Http.RemoveAsync(token, Cancelled);

        Assert.Equal(writes + 2, counting.Writes);
    }

    [Fact]
    public async Task Order_AnInstanceIsSilent_IsDroppedAfterTwoSecondsAndLoggedOnce()
    {
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var dead = new Replicas(Storage.Bounded.BoundedFixture.Around(_storage), _time, new LogRecorder().For<Replicas>());
        await dead.RegisterAsync(Cancelled);
        var started = _time.GetUtcNow();

        var order = ordering.OrderAsync(TestReplica.NewToken(), Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);
        Assert.Equal(2, (_time.GetUtcNow() - started).TotalSeconds, tolerance: 0.2);

        // Not waited for again: the clock stands still.
        await ordering.OrderAsync(TestReplica.NewToken(), Cancelled);
        Assert.Single(ordering.Log.Lines, line => line.Event.Name == "ReplicasSilent");

        // It is heard from: the next order waits for it.
        await dead.RegisterAsync(Cancelled);
        var waiting = ordering.OrderAsync(TestReplica.NewToken(), Cancelled);
        await _time.RunUntilCompleteAsync(waiting, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);
        Assert.Equal(2, ordering.Log.Lines.Count(line => line.Event.Name == "ReplicasSilent"));
    }

    [Fact]
    public async Task Order_TheStoreFailsAndNoOtherRuns_GoesOnAndRespondsFromMemory()
    {
        var counting = new CountingStorage(_storage);
        await using var ordering = await new TestReplica(counting, _time).StartAsync(Cancelled);
        counting.Fails = true;
        var token = TestReplica.NewToken();

        await _time.RunUntilCompleteAsync(
            ordering.OrderAsync(token, Cancelled), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.Equal($"{token}.{FakeThumbprints.Ours}", await ordering.FindAsync(token));
        Assert.True(ordering.Log.Has("TokenNotShared"));
    }

    [Fact]
    public async Task Order_TheStoreFailsSoonAfterTheStartAndOthersRun_IsNotSubmitted()
    {
        await using var other = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var counting = new CountingStorage(_storage);
        await using var ordering = await new TestReplica(counting, _time).StartAsync(Cancelled);
        await Poll.UntilAsync(() => ordering.Replicas.AreOthersKnown, "the other one to be known", cancellationToken: Cancelled);
        counting.Fails = true;

        await Assert.ThrowsAsync<StorageUnavailableException>(() => _time.RunUntilCompleteAsync(
            ordering.OrderAsync(TestReplica.NewToken(), Cancelled), TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(50), Cancelled));
    }

    [Fact]
    public async Task Order_TheStoreFailsSoonAfterAnotherStarted_IsNotSubmitted()
    {
        var counting = new CountingStorage(_storage);
        await using var ordering = await new TestReplica(counting, _time).StartAsync(Cancelled);
        await Poll.UntilAsync(
            () => counting.ListsOf(Replicas.Prefix) == 1, "it to have looked for others in vain", cancellationToken: Cancelled);
        await using var other = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        await Poll.UntilAsync(() => ordering.Replicas.AreOthersKnown, "the other one to be known", cancellationToken: Cancelled);
        counting.Fails = true;

        await Assert.ThrowsAsync<StorageUnavailableException>(() => _time.RunUntilCompleteAsync(
            ordering.OrderAsync(TestReplica.NewToken(), Cancelled), TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(50), Cancelled));
    }

    [Fact]
    public async Task Follow_TheStoreFailsWhileAChallengeIsOpen_KeepsIt()
    {
        var counting = new CountingStorage(_storage);
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        await using var other = await new TestReplica(counting, _time).StartAsync(Cancelled);
        var (token, second) = (TestReplica.NewToken(), TestReplica.NewToken());
        await ordering.OrderAsync(token, Cancelled);
        counting.Fails = true;

        var order = ordering.OrderAsync(second, Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.Equal($"{token}.{FakeThumbprints.Ours}", await other.FindAsync(token));
        Assert.Null(await other.FindAsync(second));
        counting.Fails = false;
        await PollAsync(async () => await other.FindAsync(second) is not null, "the challenge, once the store is back");
    }

    [Fact]
    public async Task Follow_TheStoreIsReadOnly_LearnsAndNobodyWaitsForIt()
    {
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var readOnly = new EndToEnd.WatchedStorage(_storage) { Refuses = static _ => true };
        await using var other = await new TestReplica(readOnly, _time).StartAsync(Cancelled);
        var (first, second) = (TestReplica.NewToken(), TestReplica.NewToken());

        // The clock stands still: neither is an instance waited for, nor does the other one pause.
        foreach (var token in new[] { first, second })
        {
            await ordering.OrderAsync(token, Cancelled);
            await Poll.UntilAsync(
                async _ => await other.FindAsync(token) is not null, "the challenge", cancellationToken: Cancelled);
        }

        Assert.Single(other.Log.Lines, line => line.Event.Name == "ReplicaNotRegistered");
        Assert.False(other.Log.Has("ChallengesNotFollowed"));
    }

    [Fact]
    public async Task Order_AnAcknowledgmentCouldNotBeWritten_IsWrittenAgain()
    {
        var refuses = true;
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var storage = new EndToEnd.WatchedStorage(_storage)
        {
            Refuses = key => refuses && key.StartsWith(Replicas.AcknowledgmentsPrefix, StringComparison.Ordinal),
        };
        await using var other = await new TestReplica(storage, _time).StartAsync(Cancelled);
        var order = ordering.OrderAsync(TestReplica.NewToken(), Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);
        Assert.True(ordering.Log.Has("ReplicasSilent"));

        refuses = false;

        await PollAsync(
            async () => await _storage.ListAsync(Replicas.AcknowledgmentsPrefix, Cancelled).AnyAsync(Cancelled), "the acknowledgment");
    }

    [Fact]
    public async Task Learn_NoAccountYet_IsLearnedOnceThereIsOne()
    {
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        await using var other = await new TestReplica(_storage, _time, new FakeThumbprints(thumbprint: null)).StartAsync(Cancelled);
        var token = TestReplica.NewToken();
        var order = ordering.OrderAsync(token, Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);
        Assert.Null(await other.FindAsync(token));

        other.Accounts.Thumbprint = FakeThumbprints.Ours;

        await PollAsync(async () => await other.FindAsync(token) is not null, "the challenge");
    }

    [Fact]
    public async Task Learn_OrderedWithAnotherKey_IsNotAcknowledgedAndRespondsWithItsOwn()
    {
        await using var ordering = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        await using var other = await new TestReplica(_storage, _time, new FakeThumbprints("other-key")).StartAsync(Cancelled);
        var token = TestReplica.NewToken();

        var order = ordering.OrderAsync(token, Cancelled);
        await _time.RunUntilCompleteAsync(order, TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(50), Cancelled);

        Assert.True(ordering.Log.Has("ReplicasSilent"));
        Assert.Equal($"{token}.other-key", await other.FindAsync(token));
    }

    [Theory]
    [InlineData("TOKEN.OURS", true)]
    [InlineData("TOKEN.OURS\n0123 2026-11-21T11:00:00.0000000+00:00", true)]
    [InlineData("TOKEN.of-another-account", false)]
    [InlineData("other-token.OURS", false)]
    [InlineData("TOKEN", false)]
    [InlineData("{}", false)]
    [InlineData("{\"type\":\"http-01\"", false)]
    [InlineData("JSON", true)]
    [InlineData("JSON\n0123 2026-11-21T11:00:00.0000000+00:00", true)]
    [InlineData("JSON", false, ",\"directoryUrl\":\"DIR\"", "")]
    [InlineData("JSON", false, "DIR", "x")]
    [InlineData("JSON", false, "DIR", "https://other.test/")]
    [InlineData("JSON", false, "app.test", "a b")]
    [InlineData("JSON", false, "http-01", "dns-01")]
    [InlineData("JSON", false, "TOKEN", "TOK/EN")]
    [InlineData("", false)]
    public async Task Learn_StoredValue_RespondsWithItsOwnKeyOrNotAtAll(string value, bool responds, string part = "~", string other = "~")
    {
        const string json = """
            {"type":"http-01","identifierType":"dns","identifier":"app.test","token":"TOKEN","directoryUrl":"DIR"}
            """;
        var token = TestReplica.NewToken();
        var text = value.Replace("JSON", json.Replace(part, other, StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace("TOKEN", token, StringComparison.Ordinal)
            .Replace("OURS", FakeThumbprints.Ours, StringComparison.Ordinal)
            .Replace("DIR", FakeThumbprints.Directory.AbsoluteUri, StringComparison.Ordinal);
        await _storage.WriteAsync($"challenges/http-01/{StorageKey.Hash(token)}", Encoding.UTF8.GetBytes(text), null, Cancelled);

        await using var replica = await new TestReplica(_storage, _time).StartAsync(Cancelled);

        Assert.Equal(responds ? $"{token}.{FakeThumbprints.Ours}" : null, await replica.FindAsync(token));
    }

    [Fact]
    public async Task Learn_MoreThanFit_TheNumberStaysBounded()
    {
        await using var replica = await new TestReplica(_storage, _time).StartAsync(Cancelled);
        var tokens = Enumerable.Range(0, SharedChallengeTable<string>.MaxOpen + 500).Select(_ => TestReplica.NewToken()).ToList();
        foreach (var token in tokens)
        {
            var value = Encoding.UTF8.GetBytes(FakeThumbprints.Record(token));
            await replica.Http.Shared.LearnAsync($"challenges/http-01/{StorageKey.Hash(token)}", value, Cancelled);
        }

        Assert.InRange(replica.Http.Shared.Acknowledged.Count(), 1, SharedChallengeTable<string>.MaxOpen);
        Assert.NotNull(await replica.FindAsync(tokens[^1]));
        _time.Advance(TimeSpan.FromHours(2));
        Assert.Null(await replica.FindAsync(tokens[^1]));
    }

    [Fact]
    public async Task Order_FiftyInstances_OperationsPerChallengeAreAFewForEach()
    {
        const int count = 50;
        var counting = new CountingStorage(_storage);
        var replicas = new List<TestReplica>();
        for (var i = 0; i < count; i++)
        {
            replicas.Add(await new TestReplica(counting, _time).StartAsync(Cancelled));
        }

        // The first one was alone when it started, and looks for the others when it learns of one.
        await Poll.UntilAsync(() => replicas.All(r => r.Replicas.AreOthersKnown), "all to know others", cancellationToken: Cancelled);
        var token = TestReplica.NewToken();
        var (reads, writes, lists) = (counting.Reads, counting.Writes, counting.Lists);
        await replicas[0].OrderAsync(token, Cancelled);
        await replicas[0].Http.RemoveAsync(token, Cancelled);
        foreach (var replica in replicas)
        {
            await Poll.UntilAsync(
                async _ => await replica.FindAsync(token) is null, "the end of the challenge", cancellationToken: Cancelled);
        }

        // Writes: the challenge, 49 acknowledgments, its deletion. Each other instance reads the challenge and its end; the instance that
        // orders lists the others and reads their records once, and their acknowledgments until all are there.
        Assert.InRange(counting.Writes - writes, 51, 51);
        Assert.Equal(1, counting.Lists - lists);
        TestContext.Current.TestOutputHelper?.WriteLine($"{counting.Reads - reads} values read");
        Assert.InRange(counting.Reads - reads, 3 * 49, 40 * 49);
        await EndAsync(replicas);
    }

    private async Task<List<TestReplica>> StartAsync(int count)
    {
        var replicas = new List<TestReplica>();
        for (var i = 0; i < count; i++)
        {
            replicas.Add(await new TestReplica(_storage, _time).StartAsync(Cancelled));
        }

        return replicas;
    }

    private static async Task EndAsync(List<TestReplica> replicas)
    {
        foreach (var replica in replicas)
        {
            await replica.DisposeAsync();
        }
    }

    private Task PollAsync(Func<Task<bool>> condition, string what) => Poll.UntilAsync(
        async _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return await condition();
        },
        what,
        cancellationToken: Cancelled);
}
