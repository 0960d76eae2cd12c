namespace KestrelAcme.DnsClient;

/// <summary>A record type, by its number in the IANA registry and its mnemonic. Other numbers can be cast to it.</summary>
public enum DnsRecordType
{
    /// <summary>No type; never sent.</summary>
    None = 0,

    /// <summary>An IPv4 address (RFC 1035).</summary>
    A = 1,

    /// <summary>A name server of a zone (RFC 1035).</summary>
    NS = 2,

    /// <summary>An alias: another name that replaces this one (RFC 1035).</summary>
    CNAME = 5,

    /// <summary>The start of a zone (RFC 1035).</summary>
    SOA = 6,

    /// <summary>Text (RFC 1035).</summary>
    TXT = 16,

    /// <summary>An IPv6 address (RFC 3596).</summary>
    AAAA = 28,

    /// <summary>EDNS(0) (RFC 6891): part of the protocol, never in a zone.</summary>
    OPT = 41,

    /// <summary>A transaction signature (RFC 8945): part of the protocol, never in a zone.</summary>
    TSIG = 250,

    /// <summary>All types, in updates (RFC 2136).</summary>
    ANY = 255,

    /// <summary>The CAs that may issue certificates (RFC 8659).</summary>
    CAA = 257,
}
