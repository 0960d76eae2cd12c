using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.LocalAuthority.Identifiers;

/// <summary>
/// The subject of a certificate: a DNS name (RFC 8555) or an IP address (RFC 8738), in canonical form after
/// <see cref="IdentifierPolicy"/>.
/// </summary>
internal sealed record Identifier(string Type, string Value)
{
    public const string Dns = "dns";
    public const string Ip = "ip";

    public static Identifier OfName(string name) => new(Dns, name);

    public static Identifier OfAddress(IPAddress address) => new(Ip, address.ToString());

    public override string ToString() => Value;
}

/// <summary>Computes the reverse-DNS name of an address, the SNI of tls-alpn-01 for IP identifiers (RFC 8738 section 6).</summary>
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
