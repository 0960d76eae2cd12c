using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>Finds the relevant CAA records of a name (RFC 8659 section 3). Thread-safe.</summary>
public sealed class CaaLookup
{
    // Enough to get past an unavailable server; the response of any one server suffices.
    private const int MaximumServers = 4;

    // If port 53 leads nowhere, the resolver's word must do, before the caller's time is over.
    private static readonly TimeSpan ConfirmationTimeLimit = TimeSpan.FromSeconds(10);

    private readonly DnsQueryClient _requestor;
    private readonly AuthorityLookup _authorityLookup;

    /// <summary>Creates a lookup.</summary>
    public CaaLookup(DnsQueryClient requestor, AuthorityLookup authorityLookup)
    {
        ArgumentNullException.ThrowIfNull(requestor);
        ArgumentNullException.ThrowIfNull(authorityLookup);
        _requestor = requestor;
        _authorityLookup = authorityLookup;
    }

    /// <summary>
    /// Queries the resolvers for the name and then for each name above it, except the root, until there are CAA records. Then it asks the
    /// zone's own servers to confirm them, because a resolver's may be outdated or come from an internal network.
    /// </summary>
    /// <exception cref="DnsResolutionException">No resolver answered for one of the names.</exception>
    /// <exception cref="DnsAliasException">CNAMEs form a loop or have more than 16 hops.</exception>
    public async Task<CaaRecordSet> FindAsync(DnsName name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        for (DnsName? at = name; at is { IsRoot: false }; at = at.Parent)
        {
            DnsResponse resolved = await ResolveAsync(at, cancellationToken).ConfigureAwait(false);
            if (resolved.RecordsOf<CaaRecord>().Count == 0)
            {
                continue;
            }

            DnsResponse? confirmed = await AskAuthorityAsync(at, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<CaaRecord> records = (confirmed ?? resolved).RecordsOf<CaaRecord>();
            if (records.Count > 0)
            {
                return new CaaRecordSet { Records = records, FoundAt = at, IsAuthoritative = confirmed is not null };
            }
        }

        return new CaaRecordSet { Records = [] };
    }

    /// <summary>Queries again for the end of the CNAMEs in the response: not every resolver follows them all the way.</summary>
    private async Task<DnsResponse> ResolveAsync(DnsName name, CancellationToken cancellationToken)
    {
        var chain = new AliasChain(name);
        DnsResponse response;
        do
        {
            response = await _requestor.ResolveAsync(chain.End, DnsRecordType.CAA, cancellationToken).ConfigureAwait(false);
        }
        while (chain.Follow(response.Answers) && response.RecordsOf<CaaRecord>().Count == 0);

        return response;
    }

    private async Task<DnsResponse?> AskAuthorityAsync(DnsName name, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(ConfirmationTimeLimit, _requestor.TimeProvider);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            ZoneAuthority authority = await _authorityLookup.FindAsync(name, DnsAliasHandling.FollowAll, enough.Token)
                .ConfigureAwait(false);
            Task<DnsResponse?>[] answers =
            [
                .. authority.Servers.SelectMany(server => server.EndPoints.Take(1)).Take(MaximumServers)
                    .Select(server => AskServerAsync(server, authority.Name, enough.Token)),
            ];
            DnsResponse? first = await FirstAsync(answers).ConfigureAwait(false);
            await enough.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(answers)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return first;
        }
        catch (Exception exception) when (
            exception is DnsException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Without the zone's own servers, the resolver's records are used, and the result says so.
        }

        return null;
    }

    // All at once, so that a silent server does not delay the response of another.
    private static async Task<DnsResponse?> FirstAsync(Task<DnsResponse?>[] answers)
    {
        await foreach (Task<DnsResponse?> answer in Task.WhenEach(answers).ConfigureAwait(false))
        {
            if (await answer.ConfigureAwait(false) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private async Task<DnsResponse?> AskServerAsync(IPEndPoint server, DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            DnsResponse answer = await _requestor.QueryAsync(server, name, DnsRecordType.CAA, cancellationToken: cancellationToken)
                .ConfigureAwait(false);
            return answer.IsAuthoritative && answer.Code is DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN ? answer : null;
        }
        catch (DnsException)
        {
            // Another server may answer.
            return null;
        }
    }
}

/// <summary>The relevant CAA records of a name (RFC 8659 section 3): those of the closest name at or above it that has any.</summary>
public sealed class CaaRecordSet
{
    /// <summary>The records; empty if no name up to the root has any, so that every CA may issue.</summary>
    public required IReadOnlyList<CaaRecord> Records { get; init; }

    /// <summary>The name that has the records, or null if there are none. It may be a CNAME that leads to their owner.</summary>
    public DnsName? FoundAt { get; init; }

    /// <summary>
    /// Whether a name server of the zone itself returned the records. False means that only a resolver did, or that there are none.
    /// </summary>
    public bool IsAuthoritative { get; init; }
}
