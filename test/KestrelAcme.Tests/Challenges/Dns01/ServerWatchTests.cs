using KestrelAcme.Challenges.Dns01.Propagation;
using KestrelAcme.DnsClient;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>What a server is taken for that was silent for another order a short while ago.</summary>
public sealed class ServerWatchTests : IDisposable
{
    private static readonly DnsName Name = DnsName.Parse("_acme-challenge.example.test");
    private static readonly TimeSpan Timeout = new DnsRequestorOptions().Timeout;

    private readonly FakeTimeProvider _time = new();
    private readonly FixedCodeServer _server = new(code: 0, authoritative: true) { IsSilent = true };
    private readonly DnsRequestor _requestor;

    public ServerWatchTests() => _requestor = new DnsRequestor(timeProvider: _time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Poll_WasSilentAndIsSlowNow_HoldsTheOrderUpUntilItAnswers()
    {
        await BeSilentForAnOrderAsync();
        var answer = new TaskCompletionSource();
        (_server.IsSilent, _server.Held) = (false, answer.Task);
        var watch = Watch();

        var polling = watch.PollAsync(Name, Cancelled);
        await AskedAsync(3);
        _time.Advance(Timeout - TimeSpan.FromSeconds(0.1));
        answer.SetResult();
        await polling;

        Assert.Equal(ServerState.Pending, watch.State);
        Assert.EndsWith("shows no TXT record", watch.Report, StringComparison.Ordinal);
        Assert.False(watch.IsSilent);
    }

    [Fact]
    public async Task Poll_IsSilentAgain_CostsOneTimeout()
    {
        await BeSilentForAnOrderAsync();
        var watch = Watch();

        var polling = watch.PollAsync(Name, Cancelled);
        await AskedAsync(3);
        Assert.Equal(ServerState.Pending, watch.State);
        _time.Advance(Timeout);
        await polling;

        Assert.Equal((ServerState.Unusable, true, 3), (watch.State, watch.IsSilent, _server.Questions));
        Assert.Contains($"{_server.EndPoint} did not answer", watch.Report, StringComparison.Ordinal);
    }

    private async Task BeSilentForAnOrderAsync()
    {
        var watch = Watch();
        var polling = watch.PollAsync(Name, Cancelled);
        for (var questions = 1; questions <= 2; questions++)
        {
            await AskedAsync(questions);
            _time.Advance(Timeout);
        }

        await polling;
        Assert.Equal(ServerState.Unusable, watch.State);
    }

    private ServerWatch Watch() => new(_requestor, "ns2.example.test", _server.EndPoint, "value");

    private Task AskedAsync(int questions) => Poll.UntilAsync(() => _server.Questions == questions, $"question {questions}", cancellationToken: Cancelled);
}
