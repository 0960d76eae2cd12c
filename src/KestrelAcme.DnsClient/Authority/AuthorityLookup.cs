using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Authority;

/// <summary>
/// Finds the zone that really holds a name and the servers that are its authority, through the resolvers. Safe to use from many threads.
/// </summary>
public sealed class AuthorityLookup
{
    private readonly DnsRequestor _requestor;
    private readonly ServerAddressLookup _addresses;

    /// <summary>Makes a lookup.</summary>
    /// <param name="requestor">Asks the resolvers.</param>
    /// <param name="endPointOf">Where the server at an address listens; by default at port 53 of that address.</param>
    public AuthorityLookup(DnsRequestor requestor, Func<IPAddress, IPEndPoint>? endPointOf = null)
    {
        ArgumentNullException.ThrowIfNull(requestor);
        _requestor = requestor;
        _addresses = new ServerAddressLookup(requestor, endPointOf ?? (address => new IPEndPoint(address, 53)));
    }

    /// <summary>
    /// Follows the CNAMEs of a name, finds the zone cut above where they end (the SOA), and all name servers of that zone with all
    /// addresses that this machine has a route to. The name itself need not exist.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs run in a circle or go on for more than 16 hops.</exception>
    /// <exception cref="DnsResolutionException">No resolver answered.</exception>
    /// <exception cref="DnsZoneException">There is no zone below the root, or none of its servers has an address.</exception>
    public async Task<ZoneAuthority> FindAsync(DnsName name, CancellationToken cancellationToken = default)
    {
        ZoneAuthority zone = await FindZoneAsync(name, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<AuthoritativeServer> servers = await FindServersAsync(zone.Zone, cancellationToken).ConfigureAwait(false);
        return new ZoneAuthority { Aliases = zone.Aliases, Soa = zone.Soa, Servers = servers };
    }

    /// <summary>Finds the zone as <see cref="FindAsync"/> does, and leaves <see cref="ZoneAuthority.Servers"/> empty.</summary>
    /// <exception cref="DnsAliasException">The CNAMEs run in a circle or go on for more than 16 hops.</exception>
    /// <exception cref="DnsResolutionException">No resolver answered.</exception>
    /// <exception cref="DnsZoneException">There is no zone below the root.</exception>
    public async Task<ZoneAuthority> FindZoneAsync(DnsName name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        var chain = new AliasChain(name);
        DnsResponse response;
        do
        {
            // Asking for the CNAME itself, a resolver does not follow it and cannot hide a circle behind SERVFAIL.
            response = await _requestor.ResolveAsync(chain.End, DnsRecordType.CNAME, cancellationToken).ConfigureAwait(false);
        }
        while (chain.Follow(response.Answers));

        // The negative answer that ends the chain carries the SOA of the zone (RFC 2308), unless a forwarder has cut it off.
        SoaRecord soa = EnclosingSoa(response.Authority, chain.End)
            ?? await ClimbAsync(chain.End, cancellationToken).ConfigureAwait(false);
        if (soa.Name.IsRoot)
        {
            throw new DnsZoneException(chain.End, $"No zone holds {chain.End}: nothing below the DNS root is known of it.");
        }

        return new ZoneAuthority { Aliases = chain.Names, Soa = soa, Servers = [] };
    }

    /// <summary>Finds all name servers of a zone, at most 32, with all addresses that this machine has a route to; at least one has an address.</summary>
    /// <exception cref="DnsResolutionException">No resolver answered.</exception>
    /// <exception cref="DnsZoneException">The zone has no name servers, or none of them has an address.</exception>
    public Task<IReadOnlyList<AuthoritativeServer>> FindServersAsync(DnsName zone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return _addresses.FindAsync(zone, cancellationToken);
    }

    private async Task<SoaRecord> ClimbAsync(DnsName name, CancellationToken cancellationToken)
    {
        for (DnsName? apex = name; apex is { IsRoot: false }; apex = apex.Parent)
        {
            DnsResponse response = await _requestor.ResolveAsync(apex, DnsRecordType.SOA, cancellationToken).ConfigureAwait(false);
            // Behind a CNAME the SOA is that of the target's zone, which may be another one.
            if (!response.Answers.Any(record => record is CnameRecord)
                && (EnclosingSoa(response.Answers, name) ?? EnclosingSoa(response.Authority, name)) is { } soa)
            {
                return soa;
            }
        }

        throw new DnsZoneException(name, $"No zone holds {name}: the resolvers show no SOA for it or any name above it.");
    }

    private static SoaRecord? EnclosingSoa(IReadOnlyList<DnsRecord> records, DnsName name) =>
        records.OfType<SoaRecord>().FirstOrDefault(soa => name.IsSubdomainOf(soa.Name));
}
