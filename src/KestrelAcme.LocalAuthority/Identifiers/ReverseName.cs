using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.LocalAuthority.Identifiers;

/// <summary>The reverse-DNS name of an address: the SNI of tls-alpn-01 for IP identifiers, RFC 8738 section 6.</summary>
internal static class ReverseName
{
    public static string Of(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        Array.Reverse(bytes);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? string.Join('.', bytes.Select(b => b.ToString(CultureInfo.InvariantCulture))) + ".in-addr.arpa"
            : string.Join('.', bytes.Select(b => $"{b & 15:x}.{b >> 4:x}")) + ".ip6.arpa";
    }
}
