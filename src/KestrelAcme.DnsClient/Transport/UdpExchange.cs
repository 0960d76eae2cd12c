using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>One request and its answer over UDP.</summary>
internal static class UdpExchange
{
    /// <summary>
    /// Sends from a socket of its own, so from a fresh port that nobody can guess; being connected, it takes datagrams from the
    /// server's address only. A datagram that does not answer the request is dropped and the wait goes on; after each pause the request is sent once more, for a datagram may be lost.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="request">The request.</param>
    /// <param name="datagrams">How often it is sent at most.</param>
    /// <param name="pause">How long to wait before it is sent again. After the last one the wait goes on until the call is cancelled.</param>
    /// <param name="timeProvider">The clock.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public static async Task<byte[]> SendAsync(
        IPEndPoint server, DnsRequest request, int datagrams, TimeSpan pause, TimeProvider timeProvider, CancellationToken cancellationToken)
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
                    // Once more; an answer to the one before will do as well.
                }
            }

            return await SendOnceAsync(socket, request, buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<byte[]> SendOnceAsync(Socket socket, DnsRequest request, byte[] buffer, CancellationToken cancellationToken)
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
