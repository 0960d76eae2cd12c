extern alias DnsClientNet;
using System.Net;
using System.Net.Sockets;
using DnsClientNet::DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.Testing;
using Xunit;
using NetAddress = DnsClientNet::DnsClient.Protocol.ARecord;
using NetCode = DnsClientNet::DnsClient.DnsHeaderResponseCode;
using Question = KestrelAcme.DnsClient.Messages.DnsQuestion;

namespace KestrelAcme.DnsClient.Tests.Alternatives;

/// <summary>
/// Why KestrelAcme has a DNS client of its own: what the library DnsClient (DnsClient.NET) 1.8.0 does with hostile or odd responses, next
/// to what <see cref="DnsQueryClient"/> does with the same ones. If a later version of the library breaks one of these tests, reconsider
/// the decision in docs/architecture.md.
/// </summary>
public sealed class DnsClientNetTests
{
    private const string Name = "www.example.test";
    private static readonly DnsName Host = DnsName.Parse(Name);
    private static readonly AddressRecord Good = Reply.Address(Name, "192.0.2.1");
    private static readonly AddressRecord Forged = Reply.Address(Name, "198.51.100.66");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Library_ResponseFromAnotherAddress_IsAccepted()
    {
        using var stranger = new Stranger();
        await using ScriptedServer server = stranger.RespondsBefore(Good);

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Equal(Forged.Address, Assert.Single(response.Answers.OfType<NetAddress>()).Address);
    }

    [Fact]
    public async Task QueryAsync_ResponseFromAnotherAddress_IsIgnored()
    {
        using var stranger = new Stranger();
        await using ScriptedServer server = stranger.RespondsBefore(Good);

        Assert.Equal(Good.Address, await AddressAsync(server));
    }

    [Fact]
    public async Task Library_ResponseToAnotherQuestion_IsAccepted()
    {
        await using ScriptedServer server = AnswersAnotherQuestionFirst();

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Equal("other.example.test.", Assert.Single(response.Questions).QueryName.Value);
        Assert.Equal(Forged.Address, Assert.Single(response.Answers.OfType<NetAddress>()).Address);
    }

    [Fact]
    public async Task QueryAsync_ResponseToAnotherQuestion_IsIgnored()
    {
        await using ScriptedServer server = AnswersAnotherQuestionFirst();

        Assert.Equal(Good.Address, await AddressAsync(server));
    }

    [Fact]
    public async Task Library_EchoOfTheQuery_IsAcceptedAsAnEmptyAnswer()
    {
        await using var server = new ScriptedServer(request => [request, Reply.To(request, [Good])]);

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.False(response.HasError);
        Assert.Empty(response.Answers);
    }

    [Fact]
    public async Task QueryAsync_EchoOfTheQuery_IsIgnored()
    {
        await using var server = new ScriptedServer(request => [request, Reply.To(request, [Good])]);

        Assert.Equal(Good.Address, await AddressAsync(server));
    }

    [Fact]
    public async Task Library_ForgedIdFirst_EndsTheQuery()
    {
        await using ScriptedServer server = SendsAForgedIdFirst();

        await Assert.ThrowsAsync<DnsXidMismatchException>(() =>
            Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task QueryAsync_ForgedIdFirst_IsIgnored()
    {
        await using ScriptedServer server = SendsAForgedIdFirst();

        Assert.Equal(Good.Address, await AddressAsync(server));
    }

    [Fact]
    public async Task Library_NameOver255Octets_IsAccepted()
    {
        await using var server = ScriptedServer.Honest(WithLongNames);

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.True(response.Answers[^1].DomainName.Value.Length > 255);
    }

    [Fact]
    public async Task QueryAsync_NameOver255Octets_ThrowsFormatException()
    {
        await using var server = ScriptedServer.Honest(WithLongNames);

        await Assert.ThrowsAsync<DnsFormatException>(() => AddressAsync(server));
    }

    [Fact]
    public async Task Library_ReservedLabelType_IsReadAsAPointer()
    {
        await using var server = ScriptedServer.Honest(request => WithOwner(request, 0x80));

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Equal(Good.Address, Assert.Single(response.Answers.OfType<NetAddress>()).Address);
    }

    [Fact]
    public async Task QueryAsync_ReservedLabelType_ThrowsFormatException()
    {
        await using var server = ScriptedServer.Honest(request => WithOwner(request, 0x80));

        await Assert.ThrowsAsync<DnsFormatException>(() => AddressAsync(server));
    }

    [Fact]
    public async Task Library_SeveralMessagesOverTcp_AreMergedUnchecked()
    {
        await using ScriptedServer server = SendsForgedMessagesAfterTheResponse();

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Contains(response.Answers.OfType<NetAddress>(), record => record.Address.Equals(Forged.Address));
    }

    [Fact]
    public async Task QueryAsync_SeveralMessagesOverTcp_ReadsTheFirst()
    {
        await using ScriptedServer server = SendsForgedMessagesAfterTheResponse();

        Assert.Equal(Good.Address, await AddressAsync(server));
    }

    [Fact]
    public async Task Library_ServerWithoutEdns_GetsNoSecondQuery()
    {
        await using ScriptedServer server = WithoutEdns();

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Equal(NetCode.FormatError, response.Header.ResponseCode);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task QueryAsync_ServerWithoutEdns_IsQueriedWithoutIt()
    {
        await using ScriptedServer server = WithoutEdns();

        Assert.Equal(Good.Address, await AddressAsync(server));
    }

    [Fact]
    public async Task Library_NobodyListens_LooksLikeSilence()
    {
        var nobody = new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());

        DnsResponseException error = await Assert.ThrowsAsync<DnsResponseException>(() =>
            Library(nobody, TimeSpan.FromMilliseconds(200)).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation));

        Assert.Equal(DnsClientNet::DnsClient.DnsResponseCode.ConnectionTimeout, error.Code);
    }

    [Fact]
    public async Task QueryAsync_NobodyListens_FailsWithoutWaiting()
    {
        var nobody = new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());

        // The clock does not move, so nothing can time out.
        await Assert.ThrowsAsync<DnsTransportException>(() => new DnsQueryClient(timeProvider: new FakeTimeProvider())
            .QueryAsync(nobody, Host, DnsRecordType.A, cancellationToken: Cancellation));
    }

    [Fact]
    public void Library_PublicMembers_TakeNoTimeProvider()
    {
        var types = typeof(LookupClient).Assembly.GetExportedTypes();
        var parameters = types
            .SelectMany(type => type.GetConstructors().SelectMany(constructor => constructor.GetParameters())
                .Concat(type.GetMethods().SelectMany(method => method.GetParameters())));

        Assert.NotEmpty(types);
        Assert.DoesNotContain(parameters, parameter => typeof(TimeProvider).IsAssignableFrom(parameter.ParameterType));
    }

    [Fact]
    public async Task QueryAsync_SilentServer_TimesOutByTheFakeClock()
    {
        await using var server = new ScriptedServer();
        var time = new FakeTimeProvider();

        Task<DnsResponse> query = new DnsQueryClient(new DnsQueryClientOptions { Timeout = TimeSpan.FromMinutes(5) }, time)
            .QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);

        await Assert.ThrowsAsync<DnsTimeoutException>(() =>
            time.RunUntilCompleteAsync(query, TimeSpan.FromMinutes(11), cancellationToken: Cancellation));
    }

    [Fact]
    public async Task Library_AllResolversFail_ReportsTheLastOnly()
    {
        await using var failing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.SERVFAIL, edns: true));
        await using var refusing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.REFUSED, edns: true));
        var client = new LookupClient(new LookupClientOptions(failing.EndPoint, refusing.EndPoint)
        {
            UseCache = false, Retries = 0, UseRandomNameServer = false,
        });

        IDnsQueryResponse response = await client.QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Single(failing.Requests);
        Assert.Equal(NetCode.Refused, response.Header.ResponseCode);
        Assert.Equal(refusing.EndPoint.Port, response.NameServer.Port);
    }

    [Fact]
    public async Task ResolveAsync_AllResolversFail_ReportsEach()
    {
        await using var failing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.SERVFAIL, edns: true));
        await using var refusing = ScriptedServer.Honest(request => Reply.To(request, code: DnsResponseCode.REFUSED, edns: true));
        var options = new DnsQueryClientOptions { Resolvers = { failing.EndPoint, refusing.EndPoint } };

        var error = await Assert.ThrowsAsync<DnsResolutionException>(() =>
            new DnsQueryClient(options).ResolveAsync(Host, DnsRecordType.A, Cancellation));

        Assert.Equal(
            [(failing.EndPoint, DnsResponseCode.SERVFAIL), (refusing.EndPoint, DnsResponseCode.REFUSED)],
            error.Failures.Select(failure => (failure.Server, failure.Code!.Value)));
    }

    // In the following cases, the library is as good.
    [Fact]
    public async Task Library_CompressionLoop_IsRejected()
    {
        await using var server = ScriptedServer.Honest(request => WithOwner(request, 0xC0, 12 + Host.Wire.Length + 4));

        await Assert.ThrowsAsync<DnsResponseParseException>(() =>
            Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation));
    }

    [Fact]
    public async Task QueryAsync_CompressionLoop_IsRejected()
    {
        await using var server = ScriptedServer.Honest(request => WithOwner(request, 0xC0, 12 + Host.Wire.Length + 4));

        await Assert.ThrowsAsync<DnsFormatException>(() => AddressAsync(server));
    }

    [Fact]
    public async Task Library_ManyQueries_UseManyPorts()
    {
        await using var server = ScriptedServer.Honest(request => Reply.To(request, [Good]));
        LookupClient client = Library(server);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ =>
            client.QueryAsync(Name, QueryType.A, cancellationToken: Cancellation)));

        Assert.InRange(server.Requests.Select(request => request.Client.Port).Distinct().Count(), 35, 40);
    }

    [Fact]
    public async Task Library_TruncatedResponse_IsAskedForOverTcp()
    {
        await using var server = new ScriptedServer(
            request => [Reply.To(request, flags: DnsHeader.TruncatedFlag)], request => Reply.Framed(Reply.To(request, [Good])));

        IDnsQueryResponse response = await Library(server).QueryAsync(Name, QueryType.A, cancellationToken: Cancellation);

        Assert.Single(response.Answers.OfType<NetAddress>());
        Assert.Equal([false, true], server.Requests.Select(request => request.OverTcp));
    }

    private static ScriptedServer AnswersAnotherQuestionFirst() => new(request =>
    [
        Reply.To(request, [Forged], question: new Question(DnsName.Parse("other.example.test"), DnsRecordType.A)),
        Reply.To(request, [Good]),
    ]);

    private static ScriptedServer SendsAForgedIdFirst() => new(request =>
    [
        Reply.WithId(Reply.To(request, [Forged]), MessageReader.Read(request).Header.Id ^ 1),
        Reply.To(request, [Good]),
    ]);

    private static ScriptedServer SendsForgedMessagesAfterTheResponse() => new(
        request => [Reply.To(request, flags: DnsHeader.TruncatedFlag)],
        request =>
        [
            .. Reply.Framed(Reply.To(request, [Good])),
            .. Reply.Framed(Reply.WithId(Reply.To(request, [Forged]), MessageReader.Read(request).Header.Id ^ 1)),
        ]);

    private static ScriptedServer WithoutEdns() => ScriptedServer.Honest(request => MessageReader.Read(request).ExtendedCode is null
        ? Reply.To(request, [Good])
        : Reply.To(request, code: DnsResponseCode.FORMERR));

    /// <summary>Four owners, each 64 octets longer by a pointer to the previous one: the last has 257 octets.</summary>
    private static byte[] WithLongNames(byte[] request)
    {
        var message = new List<byte>(Reply.To(request));
        message[7] = 4;
        int previous = -1;
        for (int i = 0; i < 4; i++)
        {
            int start = message.Count;
            message.AddRange([63, .. Enumerable.Repeat((byte)'a', 63)]);
            message.AddRange(previous < 0 ? [0] : [(byte)(0xC0 | (previous >> 8)), (byte)previous]);
            message.AddRange([0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1]);
            previous = start;
        }

        return [.. message];
    }

    /// <summary>The good response with an owner of two octets: a label type and an offset.</summary>
    private static byte[] WithOwner(byte[] request, byte labelType, int offset = 12)
    {
        byte[] answer = Reply.To(request, [Good]);
        int owner = 12 + Host.Wire.Length + 4;
        return [.. answer[..owner], (byte)(labelType | (offset >> 8)), (byte)offset, .. answer[(owner + Host.Wire.Length)..]];
    }

    private static LookupClient Library(ScriptedServer server) => Library(server.EndPoint, TimeSpan.FromMinutes(1));

    private static LookupClient Library(IPEndPoint server, TimeSpan timeout) =>
        new(new LookupClientOptions(server) { UseCache = false, Retries = 0, Timeout = timeout });

    private static async Task<IPAddress> AddressAsync(ScriptedServer server)
    {
        DnsResponse response = await new DnsQueryClient()
            .QueryAsync(server.EndPoint, Host, DnsRecordType.A, cancellationToken: Cancellation);
        return Assert.Single(response.RecordsOf<AddressRecord>()).Address;
    }

    /// <summary>Another host that has seen a query and responds to it from its own address before the server does.</summary>
    private sealed class Stranger : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

        public Stranger() => _socket.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));

        public ScriptedServer RespondsBefore(AddressRecord good)
        {
            ScriptedServer? server = null;
            server = new ScriptedServer(request =>
            {
                _socket.SendTo(Reply.To(request, [Forged]), server!.Requests.Last().Client);
                return [Reply.To(request, [good])];
            });
            return server;
        }

        public void Dispose() => _socket.Dispose();
    }
}
