using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Resolvers;

public sealed class ResolveTests
{
    private static readonly DnsName Host = DnsName.Parse("www.example.test");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ResolveAsync_FirstResolverFails_NextOneAnswers()
    {
        await using var failing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.SERVFAIL));
        await using var good = ScriptedServer.Honest(request => Reply.To(request, [Reply.Address("www.example.test", "192.0.2.1")]));

        DnsResponse response = await Requestor(failing.EndPoint, good.EndPoint).ResolveAsync(Host, DnsRecordType.A, Cancellation);

        Assert.Equal(good.EndPoint, response.Server);
        Assert.Single(failing.Requests);
        Assert.Equal(DnsHeader.RecursionDesiredFlag, MessageReader.Read(good.Requests.Single().Request).Header.Flags);
    }

    [Theory]
    [InlineData(DnsResponseCode.NXDOMAIN)]
    [InlineData(DnsResponseCode.NOERROR)]
    public async Task ResolveAsync_NegativeAnswer_IsAnAnswer(DnsResponseCode code)
    {
        await using var resolver = ScriptedServer.Honest(request => Reply.To(request, authority: [Reply.Soa("example.test")], code: code));
        await using var second = ScriptedServer.Honest(request => Reply.To(request));

        DnsResponse response = await Requestor(resolver.EndPoint, second.EndPoint).ResolveAsync(Host, DnsRecordType.A, Cancellation);

        Assert.Equal(code, response.Code);
        Assert.Empty(response.Answers);
        Assert.Empty(second.Requests);
    }

    [Fact]
    public async Task ResolveAsync_AllFail_NamesEachAndWhatItSaid()
    {
        await using var failing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.SERVFAIL, edns: true));
        await using var refusing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.REFUSED));
        await using var referring = ScriptedServer.Honest(request => Reply.To(request, authority: [Reply.Ns("test", "ns.test")]));
        await using var silent = new ScriptedServer();
        var nobody = new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());
        var time = new FakeTimeProvider();
        IPEndPoint[] all = [failing.EndPoint, refusing.EndPoint, referring.EndPoint, silent.EndPoint, nobody];

        Task<DnsResponse> resolution = Requestor(time, all).ResolveAsync(Host, DnsRecordType.A, Cancellation);
        for (int datagram = 1; datagram <= 2 * 3; datagram++)
        {
            // Only the silent server causes a wait.
            await Poll.UntilAsync(() => silent.Requests.Count == datagram, $"datagram {datagram}", cancellationToken: Cancellation);
            await time.AdvanceToNextTimerAsync(Cancellation);
        }

        var error = await Assert.ThrowsAsync<DnsResolutionException>(() => resolution);

        Assert.Equal(all, error.Failures.Select(failure => failure.Server));
        Assert.Equal(
            [DnsResponseCode.SERVFAIL, DnsResponseCode.REFUSED, DnsResponseCode.NOERROR, null, null],
            error.Failures.Select(failure => failure.Code));
        Assert.All(all, server => Assert.Contains(server.ToString(), error.Message, StringComparison.Ordinal));
        Assert.Contains("www.example.test A", error.Message, StringComparison.Ordinal);
        Assert.Contains("SERVFAIL", error.Message, StringComparison.Ordinal);
        Assert.Equal([2, 2, 2, 6], new[] { failing, refusing, referring, silent }.Select(server => server.Requests.Count));
    }

    [Fact]
    public async Task ResolveAsync_AllRefuseAtOnce_PausesBeforeTheyAreAskedAgain()
    {
        await using var refusing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.REFUSED, edns: true));
        var time = new FakeTimeProvider();

        Task<DnsResponse> resolution = Requestor(time, refusing.EndPoint).ResolveAsync(Host, DnsRecordType.A, Cancellation);
        await time.WhenTimerDueWithinAsync(TimeSpan.FromMilliseconds(500), Cancellation);
        Assert.Single(refusing.Requests);
        time.Advance(TimeSpan.FromMilliseconds(500));

        await Assert.ThrowsAsync<DnsResolutionException>(() => resolution);
        Assert.Equal(2, refusing.Requests.Count);
    }

    [Fact]
    public async Task ResolveAsync_Cancelled_ThrowsOperationCanceled()
    {
        await using var silent = new ScriptedServer();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        Task<DnsResponse> resolution = Requestor(new FakeTimeProvider(), silent.EndPoint).ResolveAsync(Host, DnsRecordType.A, stop.Token);
        await Poll.UntilAsync(() => !silent.Requests.IsEmpty, "a request", cancellationToken: Cancellation);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => resolution);
    }

    [Fact]
    public async Task ResolveAsync_ChallengeTestServer_Answers()
    {
        await using ChallengeTestServer server = await ChallengeTestServer.StartAsync(Cancellation);
        DnsQueryClient requestor = Requestor(new IPEndPoint(IPAddress.Loopback, server.DnsPort));
        await server.SetAddressesAsync("www.example.test", ["192.0.2.7", "192.0.2.8"], Cancellation);
        await server.AddTxtAsync("_acme-challenge.example.test", "one", Cancellation);
        await server.AddTxtAsync("_acme-challenge.example.test", "two", Cancellation);
        await server.SetServerFailureAsync("broken.example.test", true, Cancellation);

        DnsResponse addresses = await requestor.ResolveAsync(Host, DnsRecordType.A, Cancellation);
        DnsResponse texts = await requestor.ResolveAsync(DnsName.Parse("_acme-challenge.example.test"), DnsRecordType.TXT, Cancellation);

        Assert.Equal(
            ["192.0.2.7", "192.0.2.8"], addresses.RecordsOf<AddressRecord>().Select(record => record.Address.ToString()).Order());
        Assert.Equal(["one", "two"], texts.RecordsOf<TxtRecord>().Select(record => record.Text).Order());
        await Assert.ThrowsAsync<DnsResolutionException>(() =>
            requestor.ResolveAsync(DnsName.Parse("broken.example.test"), DnsRecordType.A, Cancellation));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(11, 1)]
    [InlineData(1, 0)]
    [InlineData(1, 301)]
    public void Constructor_OptionOutOfRange_Throws(int attempts, int seconds) => Assert.Throws<ArgumentOutOfRangeException>(() =>
        new DnsQueryClient(new DnsQueryClientOptions { Attempts = attempts, Timeout = TimeSpan.FromSeconds(seconds) }));

    private static DnsQueryClient Requestor(params IPEndPoint[] resolvers) => Requestor(TimeProvider.System, resolvers);

    private static DnsQueryClient Requestor(TimeProvider time, params IPEndPoint[] resolvers)
    {
        var options = new DnsQueryClientOptions();
        Array.ForEach(resolvers, options.Resolvers.Add);
        return new DnsQueryClient(options, time);
    }
}
