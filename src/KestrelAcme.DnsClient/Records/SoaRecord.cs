using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>The start of a zone: the name that owns it is the zone's apex (RFC 1035 section 3.3.13).</summary>
public sealed class SoaRecord : DnsRecord
{
    internal SoaRecord(DnsName name, TimeSpan timeToLive)
        : base(name, DnsRecordType.SOA, timeToLive)
    {
    }

    /// <summary>The zone's primary server (MNAME): the one that takes updates.</summary>
    public required DnsName PrimaryServer { get; init; }

    /// <summary>The mailbox of the person in charge (RNAME), written as a name.</summary>
    public required DnsName ResponsibleMailbox { get; init; }

    /// <summary>The version of the zone, which secondaries compare (RFC 1982 arithmetic).</summary>
    public required uint Serial { get; init; }

    /// <summary>How often secondaries ask for a new version, in seconds.</summary>
    public required uint Refresh { get; init; }

    /// <summary>How soon secondaries ask again after a failure, in seconds.</summary>
    public required uint Retry { get; init; }

    /// <summary>After how long secondaries stop answering when the primary is silent, in seconds.</summary>
    public required uint Expire { get; init; }

    /// <summary>How long a negative answer may be cached, in seconds (RFC 2308).</summary>
    public required uint Minimum { get; init; }

    internal override void WriteData(WireWriter writer)
    {
        writer.Name(PrimaryServer);
        writer.Name(ResponsibleMailbox);
        foreach (uint value in (ReadOnlySpan<uint>)[Serial, Refresh, Retry, Expire, Minimum])
        {
            writer.UInt32(value);
        }
    }
}
