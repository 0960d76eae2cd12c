using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>Sends queries and updates with timeouts; each failure is a typed exception that names the server.</summary>
internal sealed class DnsTransport(TimeSpan timeout, int datagrams, TimeProvider timeProvider)
{
    /// <summary>
    /// Queries over UDP with EDNS, without it if the server does not support it, and over TCP if the response is
    /// truncated.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="question">The question.</param>
    /// <param name="recursionDesired">The RD flag.</param>
    /// <param name="insist">Whether to try TCP if the server cannot be reached over UDP or does not respond.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<DnsResponse> QueryAsync(
        IPEndPoint server, DnsQuestion question, bool recursionDesired, bool insist, CancellationToken cancellationToken)
    {
        DnsMessage message = await AskAsync(edns: true).ConfigureAwait(false);
        // RFC 6891 sections 6.1.3 and 7.
        if (message.Code is DnsResponseCode.BADVERS
            || (message.Code is DnsResponseCode.FORMERR or DnsResponseCode.NOTIMP && message.ExtendedCode is null))
        {
            message = await AskAsync(edns: false).ConfigureAwait(false);
        }

        return new DnsResponse(server, question, message);

        Task<DnsMessage> AskAsync(bool edns) =>
            QueryAsync(server, () => DnsRequest.Query(question, recursionDesired, edns), insist, cancellationToken);
    }

    /// <summary>Sends over TCP only. Also returns the octets, which the signature covers.</summary>
    public async Task<(DnsMessage Message, byte[] Bytes)> SendOverTcpAsync(
        IPEndPoint server, DnsRequest request, CancellationToken cancellationToken)
    {
        byte[] bytes = await ExchangeAsync(server, "TCP", token => TcpExchange.SendAsync(server, request, token), cancellationToken)
            .ConfigureAwait(false);
        return (Read(server, bytes), bytes);
    }

    private async Task<DnsMessage> QueryAsync(
        IPEndPoint server, Func<DnsRequest> newRequest, bool insist, CancellationToken cancellationToken)
    {
        DnsException? silence = null;
        try
        {
            byte[] bytes = await SendOverUdpAsync(server, newRequest(), cancellationToken).ConfigureAwait(false);
            if (!DnsHeader.Read(bytes).IsTruncated)
            {
                return Read(server, bytes);
            }

            // The content of a truncated message is useless (RFC 2181 section 9), so it is not even parsed.
        }
        catch (DnsException cause) when (insist && IsSilence(cause))
        {
            // Datagrams are lost, or a firewall drops all of them.
            silence = cause;
        }

        try
        {
            return (await SendOverTcpAsync(server, newRequest(), cancellationToken).ConfigureAwait(false)).Message;
        }
        catch (DnsException cause) when (silence is not null && IsSilence(cause))
        {
            // Everybody else queries over UDP, so its error is the relevant one.
            throw silence;
        }
    }

    private static bool IsSilence(DnsException exception) => exception is DnsTimeoutException or DnsTransportException;

    private Task<byte[]> SendOverUdpAsync(IPEndPoint server, DnsRequest request, CancellationToken cancellationToken) => ExchangeAsync(
        server,
        "UDP",
        token => UdpExchange.SendAsync(server, request, datagrams, timeout / datagrams, timeProvider, token),
        cancellationToken);

    private async Task<byte[]> ExchangeAsync(
        IPEndPoint server, string transport, Func<CancellationToken, Task<byte[]>> exchange, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            return await exchange(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new DnsTimeoutException(server, transport, timeout);
        }
        catch (Exception cause) when (cause is SocketException or IOException)
        {
            throw new DnsTransportException(server, transport, cause);
        }
        catch (DnsFormatException cause)
        {
            throw new DnsFormatException(server, cause);
        }
    }

    private static DnsMessage Read(IPEndPoint server, byte[] bytes)
    {
        try
        {
            DnsMessage message = MessageReader.Read(bytes);
            return message.Header.IsTruncated ? throw new DnsFormatException("it is truncated even over TCP") : message;
        }
        catch (DnsFormatException cause)
        {
            throw new DnsFormatException(server, cause);
        }
    }
}

/// <summary>Exchanges a request and its response over TCP (RFC 7766), on a connection of its own.</summary>
internal static class TcpExchange
{
    public static async Task<byte[]> SendAsync(IPEndPoint server, DnsRequest request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        // Length and message in one write: some servers take a separate length for a broken request.
        byte[] framed = [(byte)(request.Bytes.Length >> 8), (byte)request.Bytes.Length, .. request.Bytes];
        using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync(framed, cancellationToken).ConfigureAwait(false);

        byte[] prefix = new byte[sizeof(ushort)];
        await stream.ReadExactlyAsync(prefix, cancellationToken).ConfigureAwait(false);
        // The prefix limits the response to 64 KiB.
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
        await stream.ReadExactlyAsync(message, cancellationToken).ConfigureAwait(false);
        return request.IsAnsweredBy(message)
            ? message
            : throw new DnsFormatException("it answers a different query");
    }
}

/// <summary>Remembers for a few minutes which servers did not respond, so that later queries do not wait for them first.</summary>
internal sealed class SilentServers(TimeProvider timeProvider)
{
    private const int Most = 1000;
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<IPEndPoint, long> _since = new();

    public bool Contains(IPEndPoint server) => _since.TryGetValue(server, out long since) && timeProvider.GetElapsedTime(since) < Memory;

    public void Add(IPEndPoint server)
    {
        // Far more than anybody configures: the servers of hostile zones are forgotten all at once.
        if (_since.Count >= Most)
        {
            _since.Clear();
        }

        _since[server] = timeProvider.GetTimestamp();
    }

    public void Remove(IPEndPoint server) => _since.TryRemove(server, out _);
}
