using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Connects HTTP handlers, but never to link-local addresses: what an authority or a certificate names as an address must not reach a cloud machine's metadata service.
/// </summary>
public static class GuardedConnection
{
    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>. Thread-safe.</summary>
    /// <param name="context">Where the handler connects to.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The connection; the handler owns it.</returns>
    /// <exception cref="HttpRequestException">The host has link-local addresses only.</exception>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, context.DnsEndPoint.AddressFamily, cancellationToken).ConfigureAwait(false);
        var allowed = Array.FindAll(addresses, address => !IsLinkLocal(address));
        if (allowed.Length == 0)
        {
            throw new HttpRequestException($"{context.DnsEndPoint.Host} has link-local addresses only; those are never connected to.");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether an address is link-local: 169.254.0.0/16 or fe80::/10.</summary>
    /// <param name="address">The address; one of IPv4 may be mapped into IPv6.</param>
    public static bool IsLinkLocal(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return address.IsIPv6LinkLocal;
        }

        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out _) && bytes[0] == 169 && bytes[1] == 254;
    }
}
