using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>The zone that holds the records of a name, and its name servers.</summary>
public sealed class ZoneAuthority
{
    /// <summary>The name at the end of the CNAMEs, whose records are relevant.</summary>
    public DnsName Name => Aliases[^1];

    /// <summary>The name that was looked up, and each name that its CNAMEs lead to, in order.</summary>
    public required IReadOnlyList<DnsName> Aliases { get; init; }

    /// <summary>The apex of the zone that holds <see cref="Name"/>.</summary>
    public DnsName Zone => Soa.Name;

    /// <summary>The zone's SOA record, as returned by a resolver.</summary>
    public required SoaRecord Soa { get; init; }

    /// <summary>All name servers of the zone, at most 16; at least one has an address. Empty if only the zone was looked up.</summary>
    public required IReadOnlyList<AuthoritativeServer> Servers { get; init; }

    /// <summary>The target of a wildcard's CNAME for <see cref="Name"/>, which was not followed; null if there is none.</summary>
    public DnsName? WildcardTarget { get; init; }

    /// <summary>
    /// The queries that no resolver answered. If not empty, the zone was found above those names and may not be the one that holds them.
    /// </summary>
    public IReadOnlyList<DnsResolutionException> Unanswered { get; init; } = [];
}

/// <summary>A name server of a zone, with its addresses.</summary>
public sealed class AuthoritativeServer
{
    /// <summary>The name in the zone's NS record.</summary>
    public required DnsName Name { get; init; }

    /// <summary>The addresses that this machine has a route to. May be empty.</summary>
    public required IReadOnlyList<IPEndPoint> EndPoints { get; init; }

    /// <summary>The addresses that this machine has no route to, often IPv6.</summary>
    public required IReadOnlyList<IPEndPoint> Unroutable { get; init; }

    /// <summary>Why its addresses could not be looked up, or null.</summary>
    public DnsException? Failure { get; init; }

    /// <summary>Returns the name and the addresses.</summary>
    public override string ToString() => EndPoints.Count == 0 ? $"{Name} (no address)" : $"{Name} ({string.Join(", ", EndPoints)})";
}
