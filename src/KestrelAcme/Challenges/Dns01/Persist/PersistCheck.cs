using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>Looks whether the record of dns-persist-01 is in DNS: at every name server of the zone that answers, all at once. Asks for it where it is missing. Safe for concurrent use.</summary>
internal sealed class PersistCheck(DnsAccess dns, TimeProvider time, ILogger<PersistCheck> logger)
{
    private readonly ConcurrentDictionary<RequiredDnsRecord, byte> _askedFor = new();

    // A proof holds for an account with the same URL and key (draft-ietf-acme-dns-persist-02 section 4.5).
    private readonly ConcurrentDictionary<(Uri Url, string? Thumbprint), byte> _proved = new();

    /// <summary>What a record has to allow at an authority.</summary>
    /// <exception cref="ChallengeException">The authority's directory gives a prefix for account URIs that no record can hold.</exception>
    public static PersistRequest Request(
        string domain, bool wildcard, PersistAccount account, IReadOnlyList<string> issuers, PersistDirectory directory)
    {
        if (directory.AccountHashPrefix is not { } prefix)
        {
            return new PersistRequest(domain, wildcard, account, issuers);
        }

        return PersistRecord.IsPrefix(prefix) && account.Thumbprint is not null
            ? new PersistRequest(domain, wildcard, account, issuers) { AccountHashPrefix = prefix }
            : throw new ChallengeException(
                $"{domain}: the accountHashPrefix of the authority's directory cannot begin an account URI, so that no dns-persist-01 record can be made.")
            {
                Fault = ChallengeFault.Operator,
            };
    }

    /// <exception cref="ChallengeException">A record is missing, at some server at least, or could not be looked up. All that are missing are told.</exception>
    public async Task CheckAsync(IReadOnlyCollection<PersistRequest> requests, CancellationToken cancellationToken)
    {
        // What allows a wildcard allows the name as well: one record is enough for both.
        var each = requests.GroupBy(request => request.Domain).Select(group => group.FirstOrDefault(request => request.Wildcard) ?? group.First());
        var missing = (await Task.WhenAll(each.Select(request => FindMissingAsync(request, cancellationToken)))).OfType<(string Reason, RequiredDnsRecord Wanted)>().ToList();
        if (missing.Count > 0)
        {
            throw new ChallengeException(string.Join(" ", missing.Select(m => m.Reason))) { Fault = ChallengeFault.Operator, RequiredRecords = [.. missing.Select(m => m.Wanted)] };
        }
    }

    private async Task<(string Reason, RequiredDnsRecord Wanted)?> FindMissingAsync(PersistRequest request, CancellationToken cancellationToken)
    {
        var wanted = PersistRecord.RecordFor(request);
        var answers = await ReadAsync(wanted.Name, cancellationToken);
        var now = time.GetUtcNow();
        var without = answers.Where(answer => !answer.Values.Any(value => PersistRecord.Allows(value, request, now))).ToList();
        if (without.Count == 0)
        {
            return null;
        }

        await ProveAsync(request.Account, cancellationToken);
        if (_askedFor.TryAdd(wanted, 0))
        {
            logger.PersistRecordWanted(request.Domain, wanted.ToString());
        }

        var seen = string.Join("; ", without.Select(answer => $"{answer.Server} shows {answer.Values.Count} TXT values, none of which fits"));
        return ($"{request.Domain}: the record that lets this account prove the name (dns-persist-01, an experimental draft) is not in DNS: {seen}. Create: {wanted}", wanted);
    }

    // A record for an account that is closed, or is another's, would prove nothing, and stay for years.
    private async Task ProveAsync(PersistAccount account, CancellationToken cancellationToken)
    {
        if (account.ProveAsync is not null && !_proved.ContainsKey((account.Url, account.Thumbprint)))
        {
            await account.ProveAsync(cancellationToken);
            _proved.TryAdd((account.Url, account.Thumbprint), 0);
        }
    }

    private async Task<IReadOnlyList<(string Server, IReadOnlyList<string> Values)>> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var authority = await dns.Authorities.FindZoneAsync(
                ChallengeRecordLocator.Parse(name), DnsAliasHandling.FollowExisting, cancellationToken);
            var answers = await Task.WhenAll(
                from server in await ServersAsync(authority.Zone, cancellationToken)
                from endPoint in server.EndPoints
                select AskAsync(server, endPoint, authority.Name, cancellationToken));
            var useful = answers.OfType<(string, IReadOnlyList<string>)>().ToList();

            // Where port 53 leads to no name server of the zone, a resolver's word is enough: the record stays, so it is no news to any.
            return useful.Count > 0 ? useful : [await AskResolversAsync(authority.Name, cancellationToken)];
        }
        catch (DnsException exception)
        {
            throw new ChallengeException($"{name} could not be looked up. {exception.Message}", exception) { Fault = ChallengeFault.Local };
        }
    }

    private async Task<IReadOnlyList<AuthoritativeServer>> ServersAsync(DnsName zone, CancellationToken cancellationToken)
    {
        try
        {
            return await dns.Authorities.FindServersAsync(zone, cancellationToken);
        }
        catch (DnsException)
        {
            return [];
        }
    }

    private async Task<(string Server, IReadOnlyList<string> Values)> AskResolversAsync(DnsName name, CancellationToken cancellationToken)
    {
        var response = await dns.Requestor.ResolveAsync(name, DnsRecordType.TXT, cancellationToken);
        return ($"the resolver {response.Server}", [.. response.RecordsOf<TxtRecord>().Select(record => record.Text)]);
    }

    private async Task<(string Server, IReadOnlyList<string> Values)?> AskAsync(AuthoritativeServer server, IPEndPoint endPoint, DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Requestor.QueryAsync(endPoint, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken);
            return response is { IsAuthoritative: true, Code: DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN }
                ? ($"{server.Name} ({endPoint})", [.. response.RecordsOf<TxtRecord>().Select(record => record.Text)])
                : null;
        }
        catch (DnsException)
        {
            // The others answer for it.
            return null;
        }
    }
}
