using System.Net;
using System.Net.Sockets;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Configuration;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Http01;

public sealed class Http01SelfCheckTests : IAsyncDisposable
{
    private const string Address = "192.0.2.1";
    private readonly FakeTimeProvider _time = new();
    private readonly LogRecorder _log = new();
    private readonly OddHttpServer _server = new();
    private readonly Http01TokenTable _tokens;

    public Http01SelfCheckTests()
        => _tokens = new Http01TokenTable(
            BoundedFixture.Around(new InMemoryStorage(_time)), new FakeThumbprints(), _time, NullLogger<Http01TokenTable>.Instance);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ForeignResponseForAMinute_IsLoggedOnce()
    {
        _server.Answer = OddAnswers.Latin1("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");

        await RunAsync(Handler());

        Assert.True(_server.Requests > 20, $"It was asked {_server.Requests} times.");
        Assert.Single(_log.Lines, l => l.Event.Name == "ForeignAnswer");
        Assert.Single(_log.Lines, l => l.Event.Name == "ForeignAnswerStays");
    }

    [Fact]
    public async Task Run_ResponseChanges_EachIsLoggedOnce()
    {
        _server.Answer = OddAnswers.Latin1("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        var asked = 0;

        await RunAsync(Handler(() =>
        {
            if (++asked % 2 == 0)
            {
                _server.Answer = OddAnswers.Latin1($"HTTP/1.1 {(asked % 4 == 0 ? 502 : 404)} X\r\nContent-Length: 0\r\n\r\n");
            }
        }));

        Assert.Equal(2, _log.Lines.Count(l => l.Event.Name == "ForeignAnswer"));
    }

    [Fact]
    public async Task Explain_AddressIsSilent_NamesItAndWhatItDid()
    {
        var handler = Handler(() => throw new SocketException((int)SocketError.ConnectionRefused));

        await RunAsync(handler);

        Assert.Contains($"{Address} refused the connection", await handler.ExplainFailureAsync(Context, Cancelled),
            StringComparison.Ordinal);
        Assert.Single(_log.Lines, l => l.Event.Name == "AddressesSilent"
            && l.Message.Contains($"{Address} refused the connection", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Explain_InvalidRedirect_DoesNotStopTheChallenge()
    {
        _server.Answer = OddAnswers.Latin1("HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nLocation: //\r\n\r\n");
        var handler = Handler();

        await RunAsync(handler);

        Assert.Contains($"{Address} responds with status 301", await handler.ExplainFailureAsync(Context, Cancelled),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_CleanedUp_KeepsNothing()
    {
        _server.Answer = OddAnswers.Latin1("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        var handler = Handler();
        await RunAsync(handler);

        await handler.CleanUpAsync(Context, Cancelled);

        Assert.Empty(_tokens.NotesFor("token"));
    }

    /// <summary>
    /// The check is no more than a courtesy: a resolver that says nothing must not delay the challenge by more than seconds.
    /// </summary>
    [Fact]
    public async Task Run_ResolverSaysNothing_TheChallengeGoesOnAndTheExplanationSaysSo()
    {
        var context = Context with { IdentifierType = "dns", Identifier = "silent.test" };
        var started = _time.GetUtcNow();
        var handler = Handler(lookUp: static (_, _) => new TaskCompletionSource<IPAddress[]>().Task);

        await RunAsync(handler, context);

        Assert.True(_time.GetUtcNow() - started < TimeSpan.FromSeconds(15), $"It took {_time.GetUtcNow() - started}.");
        var explaining = handler.ExplainFailureAsync(context, Cancelled).AsTask();
        await _time.RunUntilCompleteAsync(explaining, TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(20), Cancelled);
        Assert.Contains("could not be looked up within 5 s", await explaining, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _log.Dispose();
    }

    private static ChallengeContext Context => new()
    {
        ChallengeType = "http-01",
        IdentifierType = "ip",
        Identifier = Address,
        Url = new Uri("https://ca.test/challenge"),
        AccountUrl = new Uri("https://ca.test/account"),
        DirectoryUrl = new Uri("https://ca.test/directory"),
        Token = "token",
        KeyAuthorization = "answer",
    };

    private async Task RunAsync(Http01ChallengeHandler handler, ChallengeContext? context = null)
    {
        context ??= Context;
        await handler.PrepareAsync(context, Cancelled);
        var running = handler.WaitUntilVisibleAsync(context, Cancelled);
        await _time.RunUntilCompleteAsync(running, TimeSpan.FromMinutes(5), TimeSpan.FromMilliseconds(20), Cancelled);
        await running;
    }

    /// <summary>A handler that connects to the test's server instead of the public address.</summary>
    private Http01ChallengeHandler Handler(Action? asked = null, Http01SelfCheck.LookUp? lookUp = null)
    {
        var probe = new TokenProbe(TimeProvider.System, async (endpoint, token) =>
        {
            Assert.Equal(new IPEndPoint(IPAddress.Parse(Address), 80), endpoint);
            asked?.Invoke();
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(_server.EndPoint, token);
            return new NetworkStream(socket, ownsSocket: true);
        });
        var configuration = new ConfigurationSource(() => TestFacts.Snapshot(), NullLogger<ConfigurationSource>.Instance);
        return new Http01ChallengeHandler(_tokens,
            new Http01SelfCheck(new NoEndpoints(), probe, _tokens, configuration, _time, _log.For<Http01SelfCheck>(), lookUp));
    }

    private sealed class NoEndpoints : IPlainHttpEndpoints
    {
        public IReadOnlyList<IPEndPoint> List() => [];
    }
}
