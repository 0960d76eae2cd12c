using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>Where the records of a name really are, and who answers for them.</summary>
public sealed class ZoneAuthority
{
    /// <summary>The name at the end of the CNAMEs: the one whose records count.</summary>
    public DnsName Name => Aliases[^1];

    /// <summary>The name that was asked for, and every name that its CNAMEs lead to, in order.</summary>
    public required IReadOnlyList<DnsName> Aliases { get; init; }

    /// <summary>The apex of the zone that holds <see cref="Name"/>.</summary>
    public DnsName Zone => Soa.Name;

    /// <summary>The zone's SOA as a resolver has it.</summary>
    public required SoaRecord Soa { get; init; }

    /// <summary>All name servers of the zone, at most 16; at least one has an address. Empty where only the zone was looked for.</summary>
    public required IReadOnlyList<AuthoritativeServer> Servers { get; init; }

    /// <summary>Where the CNAME of a wildcard would lead <see cref="Name"/>, which was not followed; null where there is none.</summary>
    public DnsName? WildcardTarget { get; init; }

    /// <summary>
    /// The questions on the way that no resolver had an answer for; not empty, the zone was found above them and may be another one.
    /// </summary>
    public IReadOnlyList<DnsResolutionException> Unanswered { get; init; } = [];
}
