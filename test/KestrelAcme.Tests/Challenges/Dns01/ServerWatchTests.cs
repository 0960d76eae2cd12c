using System.Net;
using KestrelAcme.Challenges.Dns01.Propagation;
using KestrelAcme.DnsClient;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// The state of a server. An unusable one is not waited for, and the CA could query it without seeing the record.
/// </summary>
public sealed class ServerWatchTests : IDisposable
{
    private const int Datagrams = 3;
    private static readonly DnsName Name = DnsName.Parse("_acme-challenge.example.test");
    private static readonly TimeSpan Pause = new DnsQueryClientOptions().Timeout / Datagrams;

    private readonly FakeTimeProvider _time = new();
    private readonly FixedCodeServer _server = new(code: 0, authoritative: true);
    private readonly DnsQueryClient _requestor;

    public ServerWatchTests() => _requestor = new DnsQueryClient(timeProvider: _time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Poll_SilentThenLossy_IsStillHeard(int lost)
    {
        await BeSilentForAnOrderAsync();
        (_server.IsSilent, _server.Lost) = (false, lost);
        var before = _server.Questions;
        var watch = Watch();

        var polling = watch.PollAsync(Name, Cancelled);
        for (var i = 1; i <= lost; i++)
        {
            await AskedAsync(before + i);
            _time.Advance(Pause);
        }

        await polling;

        HasHeardOfNoRecord(watch);
    }

    [Fact]
    public async Task Poll_SilentThenSlow_IsWaitedFor()
    {
        await BeSilentForAnOrderAsync();
        var answer = new TaskCompletionSource();
        (_server.IsSilent, _server.Held) = (false, answer.Task);
        var before = _server.Questions;
        var watch = Watch();

        var polling = watch.PollAsync(Name, Cancelled);
        await AskedAsync(before + 1);
        _time.Advance((Datagrams * Pause) - TimeSpan.FromSeconds(0.1));
        answer.SetResult();
        await polling;

        HasHeardOfNoRecord(watch);
    }

    [Fact]
    public async Task Poll_SilentOverUdpAndTcp_GivesUpAfterOneTimeoutOfEach()
    {
        var start = _time.GetTimestamp();

        var watch = await BeSilentForAnOrderAsync();

        Assert.Equal((ServerState.Unusable, true, Datagrams + 1), (watch.State, watch.IsSilent, _server.Questions));
        Assert.Equal(Datagrams * Pause, _time.GetElapsedTime(start));
        Assert.Contains($"{_server.EndPoint} did not answer", watch.Report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SERVFAIL")]
    [InlineData("lame")]
    [InlineData("nobody listens")]
    public async Task Poll_RefusesForSomeSeconds_IsUnusableOnlyThen(string how)
    {
        using var refusing = new FixedCodeServer(code: (byte)(how == "SERVFAIL" ? 2 : 0), authoritative: how != "lame");
        var watch = Watch(how == "nobody listens" ? new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp()) : refusing.EndPoint);

        await watch.PollAsync(Name, Cancelled);
        _time.Advance(TimeSpan.FromSeconds(2.9));
        await watch.PollAsync(Name, Cancelled);
        var before = watch.State;
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await watch.PollAsync(Name, Cancelled);

        Assert.Equal((ServerState.Pending, ServerState.Unusable), (before, watch.State));
    }

    [Fact]
    public async Task Poll_RefusesAgainAfterAResponse_RestartsItsTime()
    {
        var watch = await BeSilentForAnOrderAsync();
        _server.IsSilent = false;
        await watch.PollAsync(Name, Cancelled);
        HasHeardOfNoRecord(watch);

        _server.Dispose();
        _time.Advance(TimeSpan.FromMinutes(1));
        await watch.PollAsync(Name, Cancelled);

        Assert.Equal(ServerState.Pending, watch.State);
    }

    private static void HasHeardOfNoRecord(ServerWatch watch)
    {
        Assert.Equal((ServerState.Pending, false), (watch.State, watch.IsSilent));
        Assert.EndsWith("shows no TXT record", watch.Report, StringComparison.Ordinal);
    }

    private async Task<ServerWatch> BeSilentForAnOrderAsync()
    {
        _server.IsSilent = true;
        var watch = Watch();
        var polling = watch.PollAsync(Name, Cancelled);
        for (var questions = 1; questions <= Datagrams; questions++)
        {
            await AskedAsync(questions);
            Assert.Equal(ServerState.Pending, watch.State);
            _time.Advance(Pause);
        }

        await polling;
        Assert.Equal(ServerState.Unusable, watch.State);
        return watch;
    }

    private ServerWatch Watch(IPEndPoint? server = null) => new(_requestor, _time, "ns2.example.test", server ?? _server.EndPoint, "value");

    private Task AskedAsync(int questions)
        => Poll.UntilAsync(() => _server.Questions == questions, $"question {questions}", cancellationToken: Cancelled);
}
