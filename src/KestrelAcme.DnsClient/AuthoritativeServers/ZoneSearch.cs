using System.Security.Cryptography;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>A single search for the zone of a name, with its state.</summary>
internal sealed class ZoneSearch(DnsQueryClient requestor, DnsName start, DnsAliasHandling aliases)
{
    // Limits the queries that a hostile zone can cause: one or more for each of 16 hops, and those up the tree at the end.
    private const int MaximumQueries = 64;

    private readonly AliasChain _chain = new(start);
    private readonly List<DnsResolutionException> _unanswered = [];
    private int _queries;
    private DnsName? _wildcardTarget;

    /// <summary>Whether the resolvers answered a query.</summary>
    public bool WasAnswered { get; private set; }

    /// <summary>The last failure of the resolvers, as the end of a sentence; empty if there was none.</summary>
    public string Trouble => _unanswered.Count > 0 ? $" ({_unanswered[^1].Message.TrimEnd('.')})" : "";

    public async Task<ZoneAuthority> RunAsync(CancellationToken cancellationToken)
    {
        DnsResponse? end = aliases == DnsAliasHandling.Ignore ? null : await FollowAsync(cancellationToken).ConfigureAwait(false);

        // The negative response at the end of the chain includes the zone's SOA (RFC 2308), unless a forwarder has removed it.
        SoaRecord soa = (end is null ? null : EnclosingSoa(end.Authority, _chain.End))
            ?? await ClimbAsync(cancellationToken).ConfigureAwait(false);
        return soa.Name.IsRoot
            ? throw new DnsZoneException(_chain.End, $"No zone holds {_chain.End}: the resolvers know nothing below the DNS root for it.")
            : new ZoneAuthority
            {
                Aliases = _chain.Names, Soa = soa, Servers = [], WildcardTarget = _wildcardTarget, Unanswered = _unanswered,
            };
    }

    /// <returns>The negative response at the end of the CNAMEs; null if there is none.</returns>
    private async Task<DnsResponse?> FollowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Queried for the CNAME itself, a resolver does not follow it and cannot hide a loop behind SERVFAIL.
            DnsResponse? response = await AskAsync(_chain.End, DnsRecordType.CNAME, cancellationToken).ConfigureAwait(false);
            if (response is null || AliasChain.TargetOf(_chain.End, response.Answers) is null)
            {
                return response;
            }

            while (AliasChain.TargetOf(_chain.End, response.Answers) is { } target)
            {
                if (aliases == DnsAliasHandling.FollowExisting
                    && await IsOfWildcardAsync(_chain.End, target, cancellationToken).ConfigureAwait(false))
                {
                    _wildcardTarget = target;
                    return null;
                }

                _chain.Add(target);
            }
        }
    }

    /// <summary>
    /// Whether a wildcard generated the CNAME: then a random sibling leads to the same target. A DNAME leads each name to a target of
    /// its own, and is followed.
    /// </summary>
    private async Task<bool> IsOfWildcardAsync(DnsName owner, DnsName target, CancellationToken cancellationToken)
    {
        if (owner.Parent?.WithLabel(RandomLabel()) is not { } sibling
            || !await LeadsToAsync(sibling, target, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        // An existing CNAME may have the same target as the wildcard beside it, but the wildcard does not apply below an existing name
        // (RFC 4592 section 2.2.1). Some servers' wildcards match only one label; there, that proves nothing.
        return owner.WithLabel(RandomLabel()) is not { } below || sibling.WithLabel(RandomLabel()) is not { } belowSibling
            || await LeadsToAsync(below, target, cancellationToken).ConfigureAwait(false)
            || !await LeadsToAsync(belowSibling, target, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> LeadsToAsync(DnsName name, DnsName target, CancellationToken cancellationToken)
    {
        try
        {
            DnsResponse response = await CountedAsync(name, DnsRecordType.CNAME, cancellationToken).ConfigureAwait(false);
            return AliasChain.TargetOf(name, response.Answers) == target;
        }
        catch (DnsResolutionException)
        {
            return false;
        }
    }

    private async Task<SoaRecord> ClimbAsync(CancellationToken cancellationToken)
    {
        DnsName name = _chain.End;

        // The wildcard has answered for the name itself, so the search starts at its parent.
        for (DnsName? at = _wildcardTarget is null ? name : name.Parent; at is { IsRoot: false }; at = at.Parent)
        {
            DnsResponse? response = await AskAsync(at, DnsRecordType.SOA, cancellationToken).ConfigureAwait(false);

            // Behind a CNAME, the SOA belongs to the target's zone, which may be another one.
            if (response is not null && !response.Answers.Any(record => record is CnameRecord)
                && (EnclosingSoa(response.Answers, name) ?? EnclosingSoa(response.Authority, name)) is { } soa)
            {
                // If queries went unanswered, a public suffix such as com must not be mistaken for the zone that holds the name.
                return _unanswered.Count > 0 && soa.Name == at && at.LabelCount <= 1 ? throw _unanswered[0] : soa;
            }
        }

        throw _unanswered.Count > 0
            ? _unanswered[0]
            : new DnsZoneException(name, $"No zone holds {name}: the resolvers show no SOA for it or any name above it.");
    }

    /// <returns>Null if no resolver answers for this name; the search continues at its parent.</returns>
    private async Task<DnsResponse?> AskAsync(DnsName name, DnsRecordType type, CancellationToken cancellationToken)
    {
        try
        {
            return await CountedAsync(name, type, cancellationToken).ConfigureAwait(false);
        }
        catch (DnsResolutionException failure)
        {
            _unanswered.Add(failure);
            return null;
        }
    }

    private async Task<DnsResponse> CountedAsync(DnsName name, DnsRecordType type, CancellationToken cancellationToken)
    {
        if (++_queries > MaximumQueries)
        {
            throw new DnsLimitException(start, $"it needs more than {MaximumQueries} queries", WasAnswered);
        }

        DnsResponse response = await requestor.ResolveAsync(name, type, cancellationToken).ConfigureAwait(false);
        WasAnswered = true;
        return response;
    }

    private static string RandomLabel() => $"p{RandomNumberGenerator.GetHexString(14, lowercase: true)}";

    private static SoaRecord? EnclosingSoa(IReadOnlyList<DnsRecord> records, DnsName name) =>
        records.OfType<SoaRecord>().FirstOrDefault(soa => name.IsSubdomainOf(soa.Name));
}
