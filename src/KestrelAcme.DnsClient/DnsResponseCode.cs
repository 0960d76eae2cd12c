namespace KestrelAcme.DnsClient;

/// <summary>The code of a response (RCODE), by the mnemonic of RFC 1035, 2136 and 6891. Other numbers may occur.</summary>
public enum DnsResponseCode
{
    /// <summary>No error.</summary>
    NOERROR = 0,

    /// <summary>The server could not read the request.</summary>
    FORMERR = 1,

    /// <summary>The server failed: often a resolver that got no answer, or one that fails DNSSEC validation.</summary>
    SERVFAIL = 2,

    /// <summary>The name does not exist.</summary>
    NXDOMAIN = 3,

    /// <summary>The server does not know this kind of request.</summary>
    NOTIMP = 4,

    /// <summary>The server refuses by policy: not its zone, or not allowed to this client.</summary>
    REFUSED = 5,

    /// <summary>A name exists that should not.</summary>
    YXDOMAIN = 6,

    /// <summary>A record set exists that should not.</summary>
    YXRRSET = 7,

    /// <summary>A record set does not exist that should.</summary>
    NXRRSET = 8,

    /// <summary>The server is not authoritative for the zone, or the signature of the request does not pass.</summary>
    NOTAUTH = 9,

    /// <summary>A name of an update is not within its zone.</summary>
    NOTZONE = 10,

    /// <summary>The server does not know this version of EDNS.</summary>
    BADVERS = 16,
}
