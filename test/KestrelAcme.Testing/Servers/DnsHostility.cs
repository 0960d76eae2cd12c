namespace KestrelAcme.Testing.Servers;

/// <summary>The ways in which a <see cref="HostileDnsServer"/> is hostile. Values can be combined.</summary>
[Flags]
public enum DnsHostility
{
    /// <summary>It responds correctly.</summary>
    None = 0,

    /// <summary>Each response takes a second.</summary>
    Slow = 1,

    /// <summary>The names of challenges start a chain of a hundred CNAMEs, one in each response.</summary>
    LongChain = 1 << 1,

    /// <summary>Like <see cref="LongChain"/>, all in one response.</summary>
    LongChainAtOnce = 1 << 2,

    /// <summary>The names of challenges are CNAMEs that form a loop.</summary>
    Circle = 1 << 3,

    /// <summary>Queries for SOA get no response, and no other response has an SOA record.</summary>
    NoSoa = 1 << 4,

    /// <summary>The names of challenges are CNAMEs to a name of 120 labels.</summary>
    DeepName = 1 << 5,

    /// <summary>Responses come over TCP and are full of names that lead from pointer to pointer.</summary>
    PointerChains = 1 << 6,

    /// <summary>Responses are truncated, over TCP, too.</summary>
    Truncated = 1 << 7,

    /// <summary>Responses have a different ID from the query.</summary>
    WrongId = 1 << 8,

    /// <summary>Responses repeat a different question from the query's.</summary>
    WrongQuestion = 1 << 9,

    /// <summary>Before the response come others, from another port and with other IDs.</summary>
    Spoofed = 1 << 10,

    /// <summary>Responses come over TCP with 60 KB of records that nobody asked for.</summary>
    Huge = 1 << 11,

    /// <summary>Responses are random octets after the right header.</summary>
    Garbage = 1 << 12,

    /// <summary>The zone has 400 name servers, and queries for their addresses get no response.</summary>
    ManyServers = 1 << 13,

    /// <summary>All queries fail with SERVFAIL.</summary>
    ServerFailure = 1 << 14,

    /// <summary>Queries for CNAME fail with SERVFAIL, as with some forwarders.</summary>
    FailsForCname = 1 << 15,

    /// <summary>Responses are not authoritative, like those of a resolver that intercepts port 53.</summary>
    NotAuthoritative = 1 << 16,

    /// <summary>Responses without records claim to be from another zone.</summary>
    ForeignZone = 1 << 17,

    /// <summary>There are no responses.</summary>
    Silent = 1 << 18,

    /// <summary>Connections are accepted, and one octet of the response is sent each second.</summary>
    Dripping = 1 << 19,
}
