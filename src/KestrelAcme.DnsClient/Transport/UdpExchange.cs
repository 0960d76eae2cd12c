using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>Exchanges a request and its response over UDP.</summary>
internal static class UdpExchange
{
    /// <summary>
    /// Sends from a new socket, and therefore from a random port that is hard to guess. The socket is connected, so it receives datagrams
    /// only from the server's address. Datagrams that do not answer the request are dropped. After each pause, the request is sent again,
    /// because a datagram may be lost.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="request">The request.</param>
    /// <param name="datagrams">The maximum number of datagrams to send.</param>
    /// <param name="pause">The time before the request is sent again. After the last datagram, only cancellation ends the wait.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public static async Task<byte[]> SendAsync(
        IPEndPoint server,
        DnsRequest request,
        int datagrams,
        TimeSpan pause,
        TimeProvider timeProvider,
        CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ushort.MaxValue);
        try
        {
            for (; datagrams > 1; datagrams--)
            {
                using var timer = new CancellationTokenSource(pause, timeProvider);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
                try
                {
                    return await SendOnceAsync(socket, request, buffer, either.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // Send again; a response to an earlier datagram is accepted, too.
                }
            }

            return await SendOnceAsync(socket, request, buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<byte[]> SendOnceAsync(
        Socket socket, DnsRequest request, byte[] buffer, CancellationToken cancellationToken)
    {
        await socket.SendAsync(request.Bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            int length = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (request.IsAnsweredBy(buffer.AsSpan(0, length)))
            {
                return buffer[..length];
            }
        }
    }
}
