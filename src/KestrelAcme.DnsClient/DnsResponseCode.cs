namespace KestrelAcme.DnsClient;

/// <summary>A response code (RCODE), by the mnemonic of RFC 1035, 2136 and 6891. Other numbers may occur.</summary>
public enum DnsResponseCode
{
    /// <summary>No error.</summary>
    NOERROR = 0,

    /// <summary>The server could not read the request.</summary>
    FORMERR = 1,

    /// <summary>The server failed: often a resolver whose upstream did not respond, or DNSSEC validation failed.</summary>
    SERVFAIL = 2,

    /// <summary>The name does not exist.</summary>
    NXDOMAIN = 3,

    /// <summary>The server does not support this kind of request.</summary>
    NOTIMP = 4,

    /// <summary>The server refuses because of its policy: not its zone, or not allowed for this client.</summary>
    REFUSED = 5,

    /// <summary>A name exists although it should not.</summary>
    YXDOMAIN = 6,

    /// <summary>A record set exists although it should not.</summary>
    YXRRSET = 7,

    /// <summary>A record set does not exist although it should.</summary>
    NXRRSET = 8,

    /// <summary>The server is not authoritative for the zone, or the signature of the request is invalid.</summary>
    NOTAUTH = 9,

    /// <summary>A name in an update is not within the zone.</summary>
    NOTZONE = 10,

    /// <summary>The server does not support this version of EDNS.</summary>
    BADVERS = 16,
}
