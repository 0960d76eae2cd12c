using System.Net;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>
/// Finds the zone that really holds a name and the servers that are its authority, through the resolvers. Safe to use from many threads.
/// </summary>
public sealed class AuthorityLookup
{
    // With the 10 s for the servers' addresses, a whole place is found within 30 s, whatever its owner does.
    private static readonly TimeSpan ZoneTimeLimit = TimeSpan.FromSeconds(20);

    private readonly DnsQueryClient _requestor;
    private readonly ServerAddressLookup _addresses;

    /// <summary>Makes a lookup.</summary>
    /// <param name="requestor">Asks the resolvers.</param>
    /// <param name="endPointOf">Where the server at an address listens; by default at port 53 of that address.</param>
    public AuthorityLookup(DnsQueryClient requestor, Func<IPAddress, IPEndPoint>? endPointOf = null)
    {
        ArgumentNullException.ThrowIfNull(requestor);
        _requestor = requestor;
        _addresses = new ServerAddressLookup(requestor, endPointOf ?? (address => new IPEndPoint(address, 53)));
    }

    /// <summary>
    /// Follows the CNAMEs of a name, finds the zone cut above where they end (the SOA), and all name servers of that zone with all
    /// addresses that this machine has a route to. The name itself need not exist. A CNAME that a wildcard makes up is not followed.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs run in a circle or go on for more than 16 hops.</exception>
    /// <exception cref="DnsResolutionException">No resolver answered for the name or one above it that could be its zone.</exception>
    /// <exception cref="DnsLimitException">The look-up took longer than 30 seconds, or needs more questions than are asked.</exception>
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
    /// Finds the zone as <see cref="FindAsync(DnsName, CancellationToken)"/> does, within 20 seconds, and leaves <see
    /// cref="ZoneAuthority.Servers"/> empty. Where no resolver has an answer for
    /// a name (SERVFAIL, REFUSED, silence), the one above it is asked for, and <see cref="ZoneAuthority.Unanswered"/> tells.
    /// </summary>
    /// <exception cref="DnsAliasException">The CNAMEs run in a circle or go on for more than 16 hops.</exception>
    /// <exception cref="DnsResolutionException">No resolver answered for the name or one above it that could be its zone.</exception>
    /// <exception cref="DnsLimitException">The look-up took too long, or needs more questions than are asked.</exception>
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
    /// Finds the name servers of a zone, at most 16, with their addresses that this machine has a route to, at most 64; at least one
    /// has an address. An address that
    /// is not found within 10 seconds is left out, as the server's <see cref="AuthoritativeServer.Failure"/> says.
    /// </summary>
    /// <exception cref="DnsResolutionException">No resolver answered.</exception>
    /// <exception cref="DnsLimitException">The resolvers did not name the servers within 10 seconds.</exception>
    /// <exception cref="DnsZoneException">The zone has no name servers, or none of them has an address.</exception>
    public Task<IReadOnlyList<AuthoritativeServer>> FindServersAsync(DnsName zone, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return _addresses.FindAsync(zone, cancellationToken);
    }
}
