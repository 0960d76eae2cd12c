using System.Net;
using KestrelAcme.DnsClient.Authority;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Transport;

/// <summary>A server that does not answer costs its time-out once, not with every question.</summary>
public sealed class SilentServerTests
{
    private static readonly DnsName Host = DnsName.Parse("www.example.test");

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task QueryAsync_SilentServer_IsAskedOnceForFiveMinutesAndThenAsBefore()
    {
        await using var silent = new ScriptedServer();
        DnsRequestor requestor = Requestor(silent.EndPoint);

        Assert.Equal(2, await CountAsync(requestor, silent));
        Assert.True(requestor.IsSilent(silent.EndPoint));
        Assert.Equal(1, await CountAsync(requestor, silent));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(requestor.IsSilent(silent.EndPoint));
        Assert.Equal(2, await CountAsync(requestor, silent));
    }

    [Fact]
    public async Task QueryAsync_ServerAnswersAgain_IsNoLongerSilent()
    {
        bool answers = false;
        await using var server = new ScriptedServer(request => answers ? [Reply.To(request)] : []);
        DnsRequestor requestor = Requestor(server.EndPoint);
        await CountAsync(requestor, server);

        answers = true;
        await requestor.QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.False(requestor.IsSilent(server.EndPoint));
    }

    [Fact]
    public async Task ResolveAsync_FirstResolverIsSilent_IsAskedLastFromThenOn()
    {
        await using var silent = new ScriptedServer();
        await using var good = ScriptedServer.Honest(request => Reply.To(request));
        DnsRequestor requestor = Requestor(silent.EndPoint, good.EndPoint);
        Task<DnsResponse> first = requestor.ResolveAsync(Host, DnsRecordType.A, Cancellation);
        await Poll.UntilAsync(() => silent.Requests.Count == 1, "the first question", cancellationToken: Cancellation);
        await _time.AdvanceToNextTimerAsync(Cancellation);
        await first;

        await requestor.ResolveAsync(Host, DnsRecordType.AAAA, Cancellation);

        Assert.Single(silent.Requests);
        Assert.Equal(2, good.Requests.Count);
    }

    [Fact]
    public async Task CaaFindAsync_OneAuthorityIsSilent_TheOtherOnesWordIsTakenAtOnce()
    {
        DnsRecord[] records =
        [
            Reply.Soa("example.test"), Reply.Ns("example.test", "ns1.example.test"), Reply.Ns("example.test", "ns2.example.test"),
            Reply.Address("ns1.example.test", "127.0.0.1"), Reply.Address("ns2.example.test", "127.0.0.2"), Reply.Caa("example.test", "issue", "ca.test"),
        ];
        await using var silent = new ScriptedServer();
        await using var good = ScriptedServer.Honest(new ScriptedZones(records) { IsAuthority = true }.Answer);
        await using var resolver = ScriptedServer.Honest(new ScriptedZones(records).Answer);
        DnsRequestor requestor = Requestor(resolver.EndPoint);
        var authorities = new AuthorityLookup(requestor, address => address.Equals(IPAddress.Loopback) ? silent.EndPoint : good.EndPoint);

        // The clock stands still: nothing here waits for a time-out.
        CaaRecordSet found = await new CaaLookup(requestor, authorities).FindAsync(Host, Cancellation);

        Assert.True(found.IsAuthoritative);
        Assert.Single(silent.Requests);
    }

    private async Task<int> CountAsync(DnsRequestor requestor, ScriptedServer silent)
    {
        int before = silent.Requests.Count;
        Task<DnsResponse> asking = requestor.QueryAsync(silent.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);
        for (int asked = before + 1; !asking.IsCompleted; asked++)
        {
            await Poll.UntilAsync(() => asking.IsCompleted || silent.Requests.Count == asked, $"question {asked} or the end", cancellationToken: Cancellation);
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        await Assert.ThrowsAsync<DnsTimeoutException>(() => asking);
        return silent.Requests.Count - before;
    }

    private DnsRequestor Requestor(params IPEndPoint[] resolvers)
    {
        var options = new DnsRequestorOptions();
        Array.ForEach(resolvers, options.Resolvers.Add);
        return new DnsRequestor(options, _time);
    }
}
