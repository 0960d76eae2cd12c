using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>One request and its answer over UDP.</summary>
internal static class UdpExchange
{
    /// <summary>
    /// Sends from a socket of its own, so from a fresh port that nobody can guess; being connected, it takes datagrams from the
    /// server's address only. A datagram that does not answer the request is dropped and the wait goes on.
    /// </summary>
    public static async Task<byte[]> SendAsync(IPEndPoint server, DnsRequest request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(request.Bytes, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ushort.MaxValue);
        try
        {
            while (true)
            {
                int length = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
                if (request.IsAnsweredBy(buffer.AsSpan(0, length)))
                {
                    return buffer[..length];
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
