using System.Net;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Transport;

/// <summary>A server that does not respond: how often it is queried, over what, and who waits for it.</summary>
public sealed class SilentServerTests
{
    private static readonly DnsName Host = DnsName.Parse("www.example.test");

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task QueryAsync_AllDatagramsLost_AnswersOverTcp()
    {
        await using var server = new ScriptedServer(
            tcp: request => Reply.Framed(Reply.To(request, [Reply.Address("www.example.test", "192.0.2.1")])));

        Task<DnsResponse> asking = Requestor().QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);
        await LoseAsync(server, 3);

        Assert.Single((await asking).RecordsOf<AddressRecord>());
        Assert.Equal([false, false, false, true], server.Requests.Select(request => request.OverTcp));
        Assert.Single(server.Requests.Where(request => !request.OverTcp).Select(request => request.Client.Port).Distinct());
    }

    [Fact]
    public async Task QueryAsync_OnlyTheLastDatagramArrives_AnswersOverUdp()
    {
        int seen = 0;
        await using var server = new ScriptedServer(request => ++seen == 3 ? [Reply.To(request)] : []);

        Task<DnsResponse> asking = Requestor().QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);
        await LoseAsync(server, 2);
        await asking;

        Assert.Equal([false, false, false], server.Requests.Select(request => request.OverTcp));
    }

    [Fact]
    public async Task QueryAsync_UdpClosedAndTcpOpen_Answers()
    {
        // Nobody listens on the UDP port, and the system reports that at once.
        await using var server = new ScriptedServer(tcp: request => Reply.Framed(Reply.To(request)));
        server.CloseUdp();

        await new DnsQueryClient().QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.True(Assert.Single(server.Requests).OverTcp);
    }

    [Fact]
    public async Task ResolveAsync_FirstResolverIsSilent_IsAskedLastFromThenOn()
    {
        await using var silent = new ScriptedServer();
        await using var good = ScriptedServer.Honest(request => Reply.To(request));
        DnsQueryClient requestor = Requestor(silent.EndPoint, good.EndPoint);
        Task<DnsResponse> first = requestor.ResolveAsync(Host, DnsRecordType.A, Cancellation);
        await LoseAsync(silent, 3);
        await first;

        await requestor.ResolveAsync(Host, DnsRecordType.AAAA, Cancellation);

        Assert.Equal(3, silent.Requests.Count);
        Assert.Equal(2, good.Requests.Count);
    }

    [Fact]
    public async Task CaaFindAsync_OneAuthorityIsSilent_TheOtherOnesWordIsTakenAtOnce()
    {
        DnsRecord[] records =
        [
            Reply.Soa("example.test"), Reply.Ns("example.test", "ns1.example.test"), Reply.Ns("example.test", "ns2.example.test"),
            Reply.Address("ns1.example.test", "127.0.0.1"), Reply.Address("ns2.example.test", "127.0.0.2"), Reply.Caa(
                "example.test", "issue", "ca.test"),
        ];
        await using var silent = new ScriptedServer();
        await using var good = ScriptedServer.Honest(new ScriptedZones(records) { IsAuthority = true }.Answer);
        await using var resolver = ScriptedServer.Honest(new ScriptedZones(records).Answer);
        DnsQueryClient requestor = Requestor(resolver.EndPoint);
        var authorities = new AuthorityLookup(requestor, address => address.Equals(IPAddress.Loopback) ? silent.EndPoint : good.EndPoint);

        // The clock does not move: nothing here waits for a timeout.
        CaaRecordSet found = await new CaaLookup(requestor, authorities).FindAsync(Host, Cancellation);

        Assert.True(found.IsAuthoritative);
        Assert.Single(silent.Requests);
    }

    private async Task LoseAsync(ScriptedServer server, int datagrams)
    {
        for (int asked = 1; asked <= datagrams; asked++)
        {
            await Poll.UntilAsync(() => server.Requests.Count == asked, $"question {asked}", cancellationToken: Cancellation);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private DnsQueryClient Requestor(params IPEndPoint[] resolvers)
    {
        var options = new DnsQueryClientOptions();
        Array.ForEach(resolvers, options.Resolvers.Add);
        return new DnsQueryClient(options, _time);
    }
}
