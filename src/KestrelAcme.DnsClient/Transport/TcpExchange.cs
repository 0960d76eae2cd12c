using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.Transport;

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
