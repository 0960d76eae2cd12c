using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>The relevant CAA records of a name (RFC 8659 section 3): those of the closest name at or above it that has any.</summary>
public sealed class CaaRecordSet
{
    /// <summary>The records; empty where no name up to the root has any, and every authority may issue.</summary>
    public required IReadOnlyList<CaaRecord> Records { get; init; }

    /// <summary>The name at which the climb found them, or null where there are none. CNAMEs may lead from it to their owner.</summary>
    public DnsName? FoundAt { get; init; }

    /// <summary>
    /// Whether a name server of the zone itself gave the records. False means that only a resolver did, or that there are no records.
    /// </summary>
    public bool IsAuthoritative { get; init; }
}
