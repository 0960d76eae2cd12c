namespace KestrelAcme.Testing.Servers;

/// <summary>What a <see cref="HostileDnsServer"/> does to those who ask it. Values can be combined.</summary>
[Flags]
public enum DnsHostility
{
    /// <summary>It answers as it should.</summary>
    None = 0,

    /// <summary>Each answer takes a second.</summary>
    Slow = 1,

    /// <summary>Challenges' names are CNAMEs to a chain of a hundred, one in each answer.</summary>
    LongChain = 1 << 1,

    /// <summary>As <see cref="LongChain"/>, all in one answer.</summary>
    LongChainAtOnce = 1 << 2,

    /// <summary>Challenges' names are CNAMEs in a circle.</summary>
    Circle = 1 << 3,

    /// <summary>Questions for SOA stay without an answer, and no other answer holds one.</summary>
    NoSoa = 1 << 4,

    /// <summary>Challenges' names are CNAMEs to a name of 120 labels.</summary>
    DeepName = 1 << 5,

    /// <summary>Answers come over TCP and are full of names that lead from pointer to pointer.</summary>
    PointerChains = 1 << 6,

    /// <summary>Answers are truncated, over TCP too.</summary>
    Truncated = 1 << 7,

    /// <summary>Answers have another id than the question.</summary>
    WrongId = 1 << 8,

    /// <summary>Answers repeat another question than the one asked.</summary>
    WrongQuestion = 1 << 9,

    /// <summary>Before the answer come others: from another port, and with other ids.</summary>
    Spoofed = 1 << 10,

    /// <summary>Answers come over TCP with 60 KB of records that nobody asked for.</summary>
    Huge = 1 << 11,

    /// <summary>Answers are random octets behind the right header.</summary>
    Garbage = 1 << 12,

    /// <summary>The zone has 400 name servers, and questions for their addresses stay without an answer.</summary>
    ManyServers = 1 << 13,

    /// <summary>Every question is answered with SERVFAIL.</summary>
    ServerFailure = 1 << 14,

    /// <summary>Questions for CNAME are answered with SERVFAIL, as by some forwarders.</summary>
    FailsForCname = 1 << 15,

    /// <summary>Answers do not claim authority, as those of a resolver that intercepts port 53.</summary>
    NotAuthoritative = 1 << 16,

    /// <summary>Answers without records claim the authority of another zone.</summary>
    ForeignZone = 1 << 17,

    /// <summary>It answers nothing.</summary>
    Silent = 1 << 18,

    /// <summary>Connections are accepted, and one octet of the answer comes each second.</summary>
    Dripping = 1 << 19,
}
