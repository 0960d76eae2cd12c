using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Transport;

/// <summary>Truncated datagrams, and what servers then send over TCP.</summary>
public sealed class TruncationTests
{
    private static readonly DnsName Host = DnsName.Parse("big.example.test");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task QueryAsync_Truncated_AsksOverTcp()
    {
        await using var server = new ScriptedServer(Truncated, request => Reply.Framed(Reply.To(request, [Txt(1, 10_000)])));

        DnsResponse response = await QueryAsync(server);

        Assert.Equal(10_000, Assert.IsType<TxtRecord>(Assert.Single(response.Answers)).Text.Length);
        Assert.Equal([false, true], server.Requests.Select(request => request.OverTcp));
    }

    [Fact]
    public async Task QueryAsync_TruncatedInTheMiddleOfARecord_AsksOverTcp()
    {
        // The rest of the datagram cannot be parsed, and need not be.
        await using var server = new ScriptedServer(
            request => [Reply.To(request, [Txt(1, 400)], flags: DnsHeader.TruncatedFlag)[..200]],
            request => Reply.Framed(Reply.To(request, [Txt(1, 400)])));

        Assert.Single((await QueryAsync(server)).Answers);
    }

    [Fact]
    public async Task QueryAsync_LargestTcpMessage_IsRead()
    {
        await using var server = new ScriptedServer(Truncated, request => Reply.Framed(Reply.To(request, [Txt(1, 65_000)])));

        Assert.Equal(65_000, Assert.IsType<TxtRecord>((await QueryAsync(server)).Answers[0]).Text.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(500)]
    public async Task QueryAsync_TcpConnectionClosedEarly_ThrowsTransportException(int sent)
    {
        await using var server = new ScriptedServer(Truncated, request => Reply.Framed(Reply.To(request, [Txt(1, 1000)]))[..sent]);

        var error = await Assert.ThrowsAsync<DnsTransportException>(() => QueryAsync(server));

        Assert.Contains("TCP", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QueryAsync_TcpSaysMoreThanItsLength_ReadsNoFurther()
    {
        await using var server = new ScriptedServer(
            Truncated, request => [.. Reply.Framed(Reply.To(request, [Txt(1, 100)])), .. new byte[1_000_000]]);

        Assert.Single((await QueryAsync(server)).Answers);
    }

    [Fact]
    public async Task QueryAsync_TcpAnswersAnotherQuestion_ThrowsFormatException()
    {
        await using var server = new ScriptedServer(Truncated, request => Reply.Framed(Reply.WithId(Reply.To(request), 0)));

        var error = await Assert.ThrowsAsync<DnsFormatException>(() => QueryAsync(server));

        Assert.Contains("a different query", error.Message, StringComparison.Ordinal);
        Assert.Equal(server.EndPoint, error.Server);
    }

    [Fact]
    public async Task QueryAsync_TruncatedOverTcpToo_ThrowsFormatException()
    {
        await using var server = new ScriptedServer(Truncated, request => Reply.Framed(Truncated(request)[0]));

        var error = await Assert.ThrowsAsync<DnsFormatException>(() => QueryAsync(server));
        Assert.Contains("truncated", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task QueryAsync_TcpStaysSilent_TimesOut()
    {
        var time = new FakeTimeProvider();
        using var release = new ManualResetEventSlim();
        await using var server = new ScriptedServer(Truncated, request =>
        {
            release.Wait(Cancellation);
            return [];
        });
        var requestor = new DnsQueryClient(new DnsQueryClientOptions { Attempts = 1 }, time);

        Task<DnsResponse> query = requestor.QueryAsync(server.EndPoint, Host, DnsRecordType.TXT, cancellationToken: Cancellation);
        await Poll.UntilAsync(() => server.Requests.Count == 2, "the request over TCP", cancellationToken: Cancellation);
        await time.AdvanceToNextTimerAsync(Cancellation);

        var error = await Assert.ThrowsAsync<DnsTimeoutException>(() => query);
        release.Set();
        Assert.Contains("TCP", error.Message, StringComparison.Ordinal);
    }

    private static Task<DnsResponse> QueryAsync(ScriptedServer server) =>
        new DnsQueryClient().QueryAsync(server.EndPoint, Host, DnsRecordType.TXT, cancellationToken: Cancellation);

    private static byte[][] Truncated(byte[] request) => [Reply.To(request, flags: DnsHeader.TruncatedFlag)];

    private static TxtRecord Txt(int seed, int length) => Reply.Txt("big.example.test", new string((char)('a' + seed), length));
}
