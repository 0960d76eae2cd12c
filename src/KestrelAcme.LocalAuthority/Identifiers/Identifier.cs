using System.Net;

namespace KestrelAcme.LocalAuthority.Identifiers;

/// <summary>What a certificate is for: a DNS name (RFC 8555) or an IP address (RFC 8738), in canonical form once it went through <see cref="IdentifierPolicy"/>.</summary>
internal sealed record Identifier(string Type, string Value)
{
    public const string Dns = "dns";
    public const string Ip = "ip";

    public static Identifier OfName(string name) => new(Dns, name);

    public static Identifier OfAddress(IPAddress address) => new(Ip, address.ToString());

    public override string ToString() => Value;
}
