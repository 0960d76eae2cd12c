using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>The start of a zone: its owner is the zone's apex (RFC 1035 section 3.3.13).</summary>
public sealed class SoaRecord : DnsRecord
{
    internal SoaRecord(DnsName name, TimeSpan timeToLive)
        : base(name, DnsRecordType.SOA, timeToLive)
    {
    }

    /// <summary>The zone's primary server (MNAME), which accepts updates.</summary>
    public required DnsName PrimaryServer { get; init; }

    /// <summary>The mailbox of the person in charge (RNAME), in the form of a name.</summary>
    public required DnsName ResponsibleMailbox { get; init; }

    /// <summary>The version of the zone, which secondaries compare (RFC 1982 arithmetic).</summary>
    public required uint Serial { get; init; }

    /// <summary>How often secondaries check for a new version, in seconds.</summary>
    public required uint Refresh { get; init; }

    /// <summary>How soon secondaries check again after a failure, in seconds.</summary>
    public required uint Retry { get; init; }

    /// <summary>After how long secondaries stop answering if the primary does not respond, in seconds.</summary>
    public required uint Expire { get; init; }

    /// <summary>How long a negative response may be cached, in seconds (RFC 2308).</summary>
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
