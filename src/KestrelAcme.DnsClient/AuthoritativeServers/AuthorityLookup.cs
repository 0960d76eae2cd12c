using System.Net;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>
/// Finds the zone that holds a name and the zone's authoritative servers, through the resolvers. Thread-safe.
/// </summary>
public sealed class AuthorityLookup
{
    // Together with 10 s for the servers' addresses, a lookup takes at most 30 s, whatever the owner of the zone does.
    private static readonly TimeSpan ZoneTimeLimit = TimeSpan.FromSeconds(20);

    private readonly DnsQueryClient _requestor;
    private readonly ServerAddressLookup _addresses;

    /// <summary>Creates a lookup.</summary>
    /// <param name="requestor">The client that queries the resolvers.</param>
    /// <param name="endPointOf">Returns the endpoint of the name server at an address; by default port 53.</param>
    public AuthorityLookup(DnsQueryClient requestor, Func<IPAddress, IPEndPoint>? endPointOf = null)
    {
        ArgumentNullException.ThrowIfNull(requestor);
        _requestor = requestor;
        _addresses = new ServerAddressLookup(requestor, endPointOf ?? (address => new IPEndPoint(address, 53)));
    }

    /// <summary>
    /// Follows the CNAMEs of a name and finds the zone at their end (its SOA), and all name servers of that zone with all addresses that
    /// this machine has a route to. The name itself need not exist. A CNAME that a wildcard generates is not followed.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs form a loop or have more than 16 hops.</exception>
    /// <exception cref="DnsResolutionException">No resolver answered for the name or one above it that could be its zone.</exception>
    /// <exception cref="DnsLimitException">The lookup took longer than 30 seconds or needs too many queries.</exception>
    /// <exception cref="DnsZoneException">There is no zone below the root, or none of its servers has an address.</exception>
    public Task<ZoneAuthority> FindAsync(DnsName name, CancellationToken cancellationToken = default) =>
        FindAsync(name, DnsAliasHandling.FollowExisting, cancellationToken);

    /// <inheritdoc cref="FindAsync(DnsName, CancellationToken)"/>
    public async Task<ZoneAuthority> FindAsync(DnsName name, DnsAliasHandling aliases, CancellationToken cancellationToken = default)
    {
        ZoneAuthority zone = await FindZoneAsync(name, aliases, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<AuthoritativeServer> servers = await FindServersAsync(zone.Zone, cancellationToken).ConfigureAwait(false);
        return new ZoneAuthority
        {
            Aliases = zone.Aliases, Soa = zone.Soa, Servers = servers, WildcardTarget = zone.WildcardTarget, Unanswered = zone.Unanswered,
        };
    }

    /// <summary>
    /// Finds the zone as <see cref="FindAsync(DnsName, CancellationToken)"/> does, within 20 seconds, but leaves
    /// <see cref="ZoneAuthority.Servers"/> empty. If no resolver answers for a name (SERVFAIL, REFUSED, timeout), its parent is queried,
    /// and <see cref="ZoneAuthority.Unanswered"/> lists the failure.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs form a loop or have more than 16 hops.</exception>
    /// <exception cref="DnsResolutionException">No resolver answered for the name or one above it that could be its zone.</exception>
    /// <exception cref="DnsLimitException">The lookup took too long or needs too many queries.</exception>
    /// <exception cref="DnsZoneException">There is no zone below the root.</exception>
    public async Task<ZoneAuthority> FindZoneAsync(DnsName name, DnsAliasHandling aliases, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        var search = new ZoneSearch(_requestor, name, aliases);
        using var limit = new CancellationTokenSource(ZoneTimeLimit, _requestor.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await search.RunAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            string limitPassed = $"its zone was not found within {ZoneTimeLimit.TotalSeconds:0} s{search.Trouble}";
            throw new DnsLimitException(name, limitPassed, search.WasAnswered);
        }
    }

    /// <summary>
    /// Finds the name servers of a zone (at most 16) with the addresses that this machine has a route to (at most 64). At least one
    /// server has an address. An address that is not found within 10 seconds is left out, and the server's
    /// <see cref="AuthoritativeServer.Failure"/> gives the reason.
    /// </summary>
    /// <exception cref="DnsResolutionException">No resolver answered.</exception>
    /// <exception cref="DnsLimitException">The resolvers did not return the name servers within 10 seconds.</exception>
    /// <exception cref="DnsZoneException">The zone has no name servers, or none of them has an address.</exception>
    public Task<IReadOnlyList<AuthoritativeServer>> FindServersAsync(DnsName zone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return _addresses.FindAsync(zone, cancellationToken);
    }
}

/// <summary>Which CNAMEs a lookup follows to find a name's zone.</summary>
public enum DnsAliasHandling
{
    /// <summary>
    /// CNAMEs that exist, but not those that a wildcard (<c>*.example.com CNAME …</c>) generates for a name that does not exist: a record
    /// created at the name replaces them.
    /// </summary>
    FollowExisting,

    /// <summary>All CNAMEs, as a resolver does.</summary>
    FollowAll,

    /// <summary>No CNAMEs.</summary>
    Ignore,
}
