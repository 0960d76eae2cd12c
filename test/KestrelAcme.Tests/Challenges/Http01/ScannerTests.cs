using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Storage.Bounded;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

/// <summary>Someone requests random tokens as fast as possible.</summary>
public sealed class ScannerTests
{
    private const string Name = "app.test";
    private const string Prefix = "challenges/http-01/";

    private int _requests;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Find_TenThousandRandomTokensASecond_FewQueriesAndNoDelay()
    {
        var time = new FakeTimeProvider();
        var counting = new CountingStorage(new InMemoryStorage(time));
        var table = new SharedChallengeTable<string>(
            "http-01", c => c.Token, (c, thumbprint) => $"{c.Token}.{thumbprint}", BoundedFixture.Around(counting),
            new FakeThumbprints(), time);
        var reader = new SharedResponseReader(table, time);
        var step = TimeSpan.FromMilliseconds(50);
        var asked = new List<Task<string?>[]>();
        var genuine = TestReplica.NewToken();
        var before = 0;
        for (var tick = 0; tick < 200; tick++)
        {
            if (tick % 20 == 0)
            {
                Assert.InRange(counting.All - before, 0, 19);
                before = counting.All;
            }

            if (tick == 105)
            {
                await table.AddAsync(FakeThumbprints.Challenge(genuine), Cancelled);
                before = counting.All;
            }

            var first = tick == 105 ? genuine : TestReplica.NewToken();
            asked.Add([reader.FindAsync(first, Cancelled), .. Random(499).Select(token => reader.FindAsync(token, Cancelled))]);

            await Poll.UntilAsync(
                () => asked.TrueForAll(tasks => Array.TrueForAll(tasks, task => task.IsCompleted))
                    || time.NextTimerDue < TimeSpan.FromSeconds(1),
                "a round",
                cancellationToken: Cancelled);

            // Every request has its result within 0.35 s: then the clock goes on.
            if (tick >= 6)
            {
                await Task.WhenAll(asked[tick - 6]).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Cancelled);
            }

            time.Advance(step);
        }

        Assert.Equal($"{genuine}.{FakeThumbprints.Ours}", await asked[105][0]);
        Assert.All(asked[105][1..], task => Assert.Null(task.Result));
    }

    [Fact]
    public async Task Find_TheSameUnknownTokenAgain_IsNotLookedUpForASecond()
    {
        var time = new FakeTimeProvider();
        var counting = new CountingStorage(new InMemoryStorage(time));
        await using var replica = new TestReplica(counting, time);
        var token = TestReplica.NewToken();

        for (var i = 0; i < 100; i++)
        {
            Assert.Null(await replica.Http.FindAsync(token, null, mayLookUp: true, Cancelled));
        }

        Assert.Equal(1, counting.All);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await replica.Http.FindAsync(token, null, mayLookUp: true, Cancelled));
        Assert.Equal(2, counting.All);
    }

    [Fact]
    public async Task Order_WhileAScannerRequestsRandomTokens_IsValidatedAndTheStoreIsHardlyAsked()
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        var counting = new CountingStorage(storage) { Prefix = Prefix };
        await using var scanned = await StartAsync(fixture, counting, "ServeOnly");
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var clock = Stopwatch.StartNew();
        var before = counting.All;
        var scanners = Enumerable.Range(0, 400).Select(_ => Task.Run(() => ScanAsync(scanned.Http, over.Token))).ToList();
        await Poll.UntilAsync(() => _requests > 400, "the scanners", cancellationToken: Cancelled);

        await using var ordering = await StartAsync(fixture, storage, "Automatic");
        fixture.Authority.Resolve(Name, scanned.Http);
        await ordering.ObtainedAsync(Name);
        await ordering.Certificates.RenewAsync(Name, Cancelled);
        await Poll.UntilAsync(() => _requests > 4000, "the scanners", cancellationToken: Cancelled);

        await over.CancelAsync();
        await Task.WhenAll(scanners);
        var queries = counting.All - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{_requests} requests and {queries} queries in {clock.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal(2, fixture.Authority.Validations.Count);
        Assert.All(fixture.Authority.Validations, v => Assert.Null(v.Problem));
        Assert.True(scanned.Log.Has("TokenAnswered"));

        // Besides the rounds, the instance reads the two challenges and their ends.
        var rounds = SharedResponseReader.Burst + (clock.Elapsed / SharedResponseReader.RoundInterval) + 1;
        Assert.InRange(queries, 1, rounds + 8);
    }

    private static IEnumerable<string> Random(int count) => Enumerable.Range(0, count).Select(_ => TestReplica.NewToken());

    // One request after the other on one connection: each waits for a round.
    private async Task ScanAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endpoint, cancellationToken);
            var response = new byte[1024];
            while (true)
            {
                var request = $"GET {Http01Path.Prefix}{TestReplica.NewToken()} HTTP/1.1\r\nHost: {Name}\r\n\r\n";
                await socket.SendAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
                var length = await socket.ReceiveAsync(response, cancellationToken);
                Assert.StartsWith("HTTP/1.1 404", Encoding.ASCII.GetString(response, 0, length), StringComparison.Ordinal);
                Interlocked.Increment(ref _requests);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage, string issuance)
    {
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:Issuance"] = issuance;
        var port = FreePort.Tcp();
        settings["urls"] = $"http://127.0.0.1:{port};https://127.0.0.1:0";
        if (issuance == "ServeOnly")
        {
            fixture.Authority.Resolve(Name, new IPEndPoint(IPAddress.Loopback, port));
        }

        return AcmeApp.StartAsync(settings, configure: QuickIssuance.Apply, storage: storage, cancellationToken: Cancelled);
    }
}
