using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>Single attempts, each with its time-out, and every failure as a typed error that names the server.</summary>
internal sealed class DnsTransport(TimeSpan timeout, TimeProvider timeProvider)
{
    /// <summary>Asks over UDP with EDNS, without it where the server does not know it, and over TCP where the answer is cut.</summary>
    public async Task<DnsResponse> QueryAsync(
        IPEndPoint server, DnsQuestion question, bool recursionDesired, CancellationToken cancellationToken)
    {
        DnsMessage message = await QueryAsync(server, question, recursionDesired, edns: true, cancellationToken).ConfigureAwait(false);
        // RFC 6891 sections 6.1.3 and 7.
        if (message.Code is DnsResponseCode.BADVERS
            || (message.Code is DnsResponseCode.FORMERR or DnsResponseCode.NOTIMP && message.ExtendedCode is null))
        {
            message = await QueryAsync(server, question, recursionDesired, edns: false, cancellationToken).ConfigureAwait(false);
        }

        return new DnsResponse(server, question, message);
    }

    /// <summary>Sends over TCP only. Returns the octets too, which signatures cover.</summary>
    public async Task<(DnsMessage Message, byte[] Bytes)> SendOverTcpAsync(
        IPEndPoint server, DnsRequest request, CancellationToken cancellationToken)
    {
        byte[] bytes = await ExchangeAsync(server, request, "TCP", TcpExchange.SendAsync, cancellationToken).ConfigureAwait(false);
        return (Read(server, bytes), bytes);
    }

    private async Task<DnsMessage> QueryAsync(
        IPEndPoint server, DnsQuestion question, bool recursionDesired, bool edns, CancellationToken cancellationToken)
    {
        var request = DnsRequest.Query(question, recursionDesired, edns);
        byte[] bytes = await ExchangeAsync(server, request, "UDP", UdpExchange.SendAsync, cancellationToken).ConfigureAwait(false);
        if (!DnsHeader.Read(bytes).IsTruncated)
        {
            return Read(server, bytes);
        }

        // What a truncated message holds is of no use (RFC 2181 section 9), so it is not even read.
        request = DnsRequest.Query(question, recursionDesired, edns);
        (DnsMessage message, _) = await SendOverTcpAsync(server, request, cancellationToken).ConfigureAwait(false);
        return message;
    }

    private async Task<byte[]> ExchangeAsync(
        IPEndPoint server,
        DnsRequest request,
        string transport,
        Func<IPEndPoint, DnsRequest, CancellationToken, Task<byte[]>> exchange,
        CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(timeout, timeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            return await exchange(server, request, either.Token).ConfigureAwait(false);
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
