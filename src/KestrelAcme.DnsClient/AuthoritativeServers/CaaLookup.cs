using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>Climbs the tree for CAA records (RFC 8659 section 3). Safe to use from many threads.</summary>
public sealed class CaaLookup
{
    // Enough to get past a dead server; a word of any one of them suffices.
    private const int MaximumServers = 4;

    private readonly DnsQueryClient _requestor;
    private readonly AuthorityLookup _authorityLookup;

    /// <summary>Makes a lookup.</summary>
    public CaaLookup(DnsQueryClient requestor, AuthorityLookup authorityLookup)
    {
        ArgumentNullException.ThrowIfNull(requestor);
        ArgumentNullException.ThrowIfNull(authorityLookup);
        _requestor = requestor;
        _authorityLookup = authorityLookup;
    }

    /// <summary>
    /// Asks the resolvers for the name and each name above it, the root left out, until there are CAA records, and lets the zone's own
    /// servers confirm them: a resolver's may be old, or meant for an inner network.
    /// </summary>
    /// <exception cref="DnsResolutionException">No resolver answered for a name on the way.</exception>
    /// <exception cref="DnsAliasException">CNAMEs run in a circle or go on for more than 16 hops.</exception>
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

    /// <summary>Asks again at the end of CNAMEs that the answer leads along: not every resolver goes all the way.</summary>
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
        try
        {
            ZoneAuthority authority = await _authorityLookup.FindAsync(name, DnsAliasHandling.FollowAll, cancellationToken)
                .ConfigureAwait(false);
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
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
        catch (DnsException)
        {
            // Without the authority the resolver's word remains, and the result says so.
        }

        return null;
    }

    // All at once: nobody waits for a silent server while another one answers.
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
            // The next server may answer.
            return null;
        }
    }
}
