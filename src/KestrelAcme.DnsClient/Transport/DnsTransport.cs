using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>Questions and updates, each with its time-out, and every failure as a typed error that names the server.</summary>
internal sealed class DnsTransport(TimeSpan timeout, int datagrams, TimeProvider timeProvider)
{
    /// <summary>Asks over UDP with EDNS, without it where the server does not know it, and over TCP where the answer is cut.</summary>
    /// <param name="server">The server.</param>
    /// <param name="question">The question.</param>
    /// <param name="recursionDesired">The flag RD.</param>
    /// <param name="insist">Whether a server that UDP does not reach is asked over TCP before it counts as silent.</param>
    /// <param name="cancellationToken">Ends the call.</param>
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

        Task<DnsMessage> AskAsync(bool edns) => QueryAsync(server, () => DnsRequest.Query(question, recursionDesired, edns), insist, cancellationToken);
    }

    /// <summary>Sends over TCP only. Returns the octets too, which signatures cover.</summary>
    public async Task<(DnsMessage Message, byte[] Bytes)> SendOverTcpAsync(
        IPEndPoint server, DnsRequest request, CancellationToken cancellationToken)
    {
        byte[] bytes = await ExchangeAsync(server, "TCP", token => TcpExchange.SendAsync(server, request, token), cancellationToken)
            .ConfigureAwait(false);
        return (Read(server, bytes), bytes);
    }

    private async Task<DnsMessage> QueryAsync(IPEndPoint server, Func<DnsRequest> newRequest, bool insist, CancellationToken cancellationToken)
    {
        DnsException? silence = null;
        try
        {
            byte[] bytes = await SendOverUdpAsync(server, newRequest(), cancellationToken).ConfigureAwait(false);
            if (!DnsHeader.Read(bytes).IsTruncated)
            {
                return Read(server, bytes);
            }

            // What a truncated message holds is of no use (RFC 2181 section 9), so it is not even read.
        }
        catch (DnsException cause) when (insist && IsSilence(cause))
        {
            // Datagrams are lost, or a firewall drops them all.
            silence = cause;
        }

        try
        {
            return (await SendOverTcpAsync(server, newRequest(), cancellationToken).ConfigureAwait(false)).Message;
        }
        catch (DnsException cause) when (silence is not null && IsSilence(cause))
        {
            // UDP is what everybody asks over.
            throw silence;
        }
    }

    private static bool IsSilence(DnsException exception) => exception is DnsTimeoutException or DnsTransportException;

    private Task<byte[]> SendOverUdpAsync(IPEndPoint server, DnsRequest request, CancellationToken cancellationToken) => ExchangeAsync(
        server, "UDP", token => UdpExchange.SendAsync(server, request, datagrams, timeout / datagrams, timeProvider, token), cancellationToken);

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
