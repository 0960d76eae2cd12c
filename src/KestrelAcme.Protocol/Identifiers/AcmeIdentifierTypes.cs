namespace KestrelAcme.Protocol.Identifiers;

/// <summary>The identifier types that ACME servers know (RFC 8555 section 9.7.7, RFC 8738).</summary>
public static class AcmeIdentifierTypes
{
    /// <summary>A DNS name, RFC 8555.</summary>
    public const string Dns = "dns";

    /// <summary>An IPv4 or IPv6 address, RFC 8738.</summary>
    public const string Ip = "ip";
}
