using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Transport;

/// <summary>Datagrams that are not the response, or do not arrive in time.</summary>
public sealed class DatagramTests
{
    private static readonly DnsName Host = DnsName.Parse("www.example.test");
    private static readonly AddressRecord Good = Reply.Address("www.example.test", "192.0.2.1");
    private static readonly AddressRecord Forged = Reply.Address("www.example.test", "198.51.100.66");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task QueryAsync_ForgedDatagramsFirst_WaitsForTheAnswer()
    {
        await using var server = new ScriptedServer(request =>
        {
            byte[] forged = Reply.To(request, [Forged]);
            int id = MessageReader.Read(request).Header.Id;
            return
            [
                Reply.WithId(forged, id + 1),
                Reply.WithId(forged, id ^ 0x8000),
                Reply.To(request, [Forged], question: new DnsQuestion(DnsName.Parse("ww.example.test"), DnsRecordType.A)),
                Reply.To(request, [Forged], question: new DnsQuestion(Host, DnsRecordType.AAAA)),
                Reply.To(request, [Forged], flags: 0x2800),
                request,
                [],
                forged[..11],
                Reply.HeaderOnly(request, DnsResponseCode.NXDOMAIN),
                Reply.To(request, [Good], flags: DnsHeader.AuthoritativeFlag),
            ];
        });

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Equal(Good.Address, Assert.IsType<AddressRecord>(Assert.Single(response.Answers)).Address);
        Assert.True(response.IsAuthoritative);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task QueryAsync_AnswerFromAnotherAddress_IsIgnored()
    {
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        ScriptedServer? server = null;
        server = new ScriptedServer(request =>
        {
            IPEndPoint client = server!.Requests.Last().Client;
            stranger.SendTo(Reply.To(request, [Forged]), client);
            return [Reply.To(request, [Good])];
        });
        await using ScriptedServer running = server;

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Equal(Good.Address, Assert.IsType<AddressRecord>(Assert.Single(response.Answers)).Address);
    }

    [Fact]
    public async Task QueryAsync_ManyQueries_UseManyPortsAndIds()
    {
        await using var server = ScriptedServer.Honest(request => Reply.To(request, [Good]));
        var requestor = new DnsQueryClient();

        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ =>
            requestor.QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation)));

        Assert.InRange(server.Requests.Select(request => request.Client.Port).Distinct().Count(), 35, 40);
        Assert.InRange(server.Requests.Select(request => MessageReader.Read(request.Request).Header.Id).Distinct().Count(), 35, 40);
    }

    [Fact]
    public async Task QueryAsync_RecordsOfStrangers_AreNotTheNames()
    {
        await using var server = ScriptedServer.Honest(request => Reply.To(
            request,
            [
                Forged, Reply.Cname("www.example.test", "a.test"), Reply.Cname("a.test", "b.test"),
                Reply.Address("b.test", "192.0.2.2"), Reply.Address("c.test", "192.0.2.3"),
            ]));

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Equal(5, response.Answers.Count);
        Assert.Equal("192.0.2.2", Assert.Single(response.RecordsOf<AddressRecord>()).Address.ToString());
    }

    [Fact]
    public async Task QueryAsync_ServerOnIPv6_Answers()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "No IPv6 here.");
        await using var server = new ScriptedServer(
            request => [Reply.To(request, flags: DnsHeader.TruncatedFlag)], request => Reply.Framed(Reply.To(request, [Good])), "::1");

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Single(response.RecordsOf<AddressRecord>());
    }

    [Fact]
    public async Task QueryAsync_QuestionComesBackInAnotherCase_IsAccepted()
    {
        await using var server = ScriptedServer.Honest(request =>
            Reply.To(request, [Good], question: new DnsQuestion(DnsName.Parse("WWW.EXAMPLE.TEST"), DnsRecordType.A)));

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Single(response.Answers);
    }

    [Fact]
    public async Task QueryAsync_SilentServer_TimesOutAfterAllAttempts()
    {
        await using var server = new ScriptedServer();
        var time = new FakeTimeProvider();
        var requestor = new DnsQueryClient(new DnsQueryClientOptions { Attempts = 3, Timeout = TimeSpan.FromSeconds(4) }, time);
        long start = time.GetTimestamp();

        Task<DnsResponse> query = requestor.QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);
        for (int attempt = 1; attempt <= 3; attempt++)
        {
            await Poll.UntilAsync(() => server.Requests.Count == attempt, $"request {attempt}", cancellationToken: Cancellation);
            await time.AdvanceToNextTimerAsync(Cancellation);
        }

        var error = await Assert.ThrowsAsync<DnsTimeoutException>(() => query);
        Assert.Equal(TimeSpan.FromSeconds(4), time.GetElapsedTime(start));
        Assert.Equal(server.EndPoint, error.Server);
        Assert.Contains(server.EndPoint.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("4 s", error.Message, StringComparison.Ordinal);
        Assert.Equal([false, false, false, true], server.Requests.Select(request => request.OverTcp));
    }

    [Fact]
    public async Task QueryAsync_FirstDatagramLost_SecondAttemptAnswers()
    {
        int seen = 0;
        await using var server = new ScriptedServer(request => seen++ == 0 ? [] : [Reply.To(request, [Good])]);
        var time = new FakeTimeProvider();

        Task<DnsResponse> query = new DnsQueryClient(timeProvider: time)
            .QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);
        await Poll.UntilAsync(() => server.Requests.Count == 1, "a request", cancellationToken: Cancellation);
        await time.AdvanceToNextTimerAsync(Cancellation);

        Assert.Single((await query).Answers);
    }

    [Fact]
    public async Task QueryAsync_Cancelled_ThrowsOperationCanceled()
    {
        await using var server = new ScriptedServer();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);

        Task<DnsResponse> query = new DnsQueryClient(timeProvider: new FakeTimeProvider())
            .QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: stop.Token);
        await Poll.UntilAsync(() => server.Requests.Count == 1, "a request", cancellationToken: Cancellation);
        await stop.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        Assert.Equal(stop.Token, error.CancellationToken);
    }

    [Fact]
    public async Task QueryAsync_NobodyListens_ThrowsTransportException()
    {
        var nobody = new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());

        var error = await Assert.ThrowsAsync<DnsTransportException>(() =>
            new DnsQueryClient().QueryAsync(nobody, Host, DnsRecordType.A, cancellationToken: Cancellation));

        Assert.Equal(nobody, error.Server);
    }

    [Theory]
    [InlineData(DnsResponseCode.SERVFAIL)]
    [InlineData(DnsResponseCode.REFUSED)]
    [InlineData(DnsResponseCode.NXDOMAIN)]
    public async Task QueryAsync_OtherCode_IsAnAnswer(DnsResponseCode code)
    {
        await using var server = ScriptedServer.Honest(request => Reply.To(request, code: code, edns: true));

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Equal(code, response.Code);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task QueryAsync_ServerWithoutEdns_IsAskedAgainWithoutIt(bool headerOnly)
    {
        await using var server = ScriptedServer.Honest(request =>
            MessageReader.Read(request).ExtendedCode is null ? Reply.To(request, [Good])
            : headerOnly ? Reply.HeaderOnly(request, DnsResponseCode.FORMERR)
            : Reply.To(request, code: DnsResponseCode.NOTIMP));

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Single(response.Answers);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task QueryAsync_FormErrWithEdns_IsNotAskedAgain()
    {
        await using var server = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.FORMERR, edns: true));

        DnsResponse response = await new DnsQueryClient().QueryAsync(
            server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        Assert.Equal(DnsResponseCode.FORMERR, response.Code);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task QueryAsync_CompressionLoop_ThrowsFormatExceptionThatNamesTheServer()
    {
        await using var server = new ScriptedServer(request =>
        {
            byte[] answer = Reply.To(request, [Good]);
            // The answer's owner becomes a pointer to itself.
            int owner = 12 + Host.Wire.Length + 4;
            return [[.. answer[..owner], (byte)(0xC0 | (owner >> 8)), (byte)owner, .. answer[(owner + Host.Wire.Length)..]]];
        });

        var error = await Assert.ThrowsAsync<DnsFormatException>(() =>
            new DnsQueryClient().QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation));

        Assert.Equal(server.EndPoint, error.Server);
        Assert.Contains(server.EndPoint.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains("points", error.Message, StringComparison.Ordinal);
    }
}
