using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// Checks that the dns-persist-01 record exists, at every name server of the zone that responds, all at once. If it is missing, tells the
/// operator to create it. Safe for concurrent use.
/// </summary>
internal sealed class PersistCheck(DnsAccess dns, TimeProvider time, ILogger<PersistCheck> logger)
{
    private readonly ConcurrentDictionary<RequiredDnsRecord, byte> _askedFor = new();

    // A proof is valid for an account with the same URL and key (draft-ietf-acme-dns-persist-02 section 4.5).
    private readonly ConcurrentDictionary<(Uri Url, string? Thumbprint), byte> _proved = new();

    /// <summary>Returns what a record must allow.</summary>
    /// <exception cref="ChallengeException">The CA's directory has an account URI prefix that cannot be used in a record.</exception>
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
                $"{domain}: the accountHashPrefix in the CA's directory is not valid as the start of a URI, " +
                "so no dns-persist-01 record can be created.")
            {
                Fault = ChallengeFault.Operator,
            };
    }

    /// <returns>When the first of the records expires; <see cref="DateTimeOffset.MaxValue"/> if none of them does.</returns>
    /// <exception cref="ChallengeException">
    /// A record is missing at some name server at least, or could not be looked up. The message lists all missing records.
    /// </exception>
    public async Task<DateTimeOffset> CheckAsync(
        IReadOnlyCollection<PersistRequest> requests, CancellationToken cancellationToken)
    {
        // A record that allows the wildcard also allows the name itself, so one record is enough for both.
        var each = requests.GroupBy(request => request.Domain)
            .Select(group => group.FirstOrDefault(request => request.Wildcard) ?? group.First());
        var results = await Task.WhenAll(each.Select(request => FindAsync(request, cancellationToken)));
        var missing = results.Select(result => result.Missing).OfType<(string Reason, RequiredDnsRecord Wanted)>().ToList();
        if (missing.Count > 0)
        {
            throw new ChallengeException(string.Join(" ", missing.Select(m => m.Reason)))
            {
                Fault = ChallengeFault.Operator,
                RequiredRecords = [.. missing.Select(m => m.Wanted)],
            };
        }

        return results.Select(result => result.End).Append(DateTimeOffset.MaxValue).Min();
    }

    private async Task<((string Reason, RequiredDnsRecord Wanted)? Missing, DateTimeOffset End)> FindAsync(
        PersistRequest request, CancellationToken cancellationToken)
    {
        var wanted = PersistRecord.RecordFor(request);
        var responses = await ReadAsync(wanted.Name, cancellationToken);
        var now = time.GetUtcNow();

        // The best value of each server and the worst of all servers, because it is unknown which one the CA queries.
        var ends = responses.Select(response => response.Values.Max(value => PersistRecord.AllowsUntil(value, request, now))).ToList();
        var without = responses.Where((_, i) => ends[i] is null).ToList();
        if (without.Count == 0)
        {
            return (null, ends.Min() ?? DateTimeOffset.MaxValue);
        }

        await ProveAsync(request.Account, cancellationToken);
        if (_askedFor.TryAdd(wanted, 0))
        {
            logger.PersistRecordWanted(request.Domain, wanted.ToString());
        }

        var seen = string.Join(
            "; ", without.Select(response => $"{response.Server} shows {response.Values.Count} TXT values, none of which matches"));
        var reason = $"{request.Domain}: the record that allows this account to prove the name (dns-persist-01, an experimental draft) " +
            $"is not in DNS: {seen}. Create: {wanted}";
        return ((reason, wanted), default);
    }

    // A record for an account that is closed or belongs to someone else would prove nothing, and would exist for years.
    private async Task ProveAsync(PersistAccount account, CancellationToken cancellationToken)
    {
        if (account.ProveAsync is not null && !_proved.ContainsKey((account.Url, account.Thumbprint)))
        {
            await account.ProveAsync(cancellationToken);
            _proved.TryAdd((account.Url, account.Thumbprint), 0);
        }
    }

    private async Task<IReadOnlyList<(string Server, IReadOnlyList<string> Values)>> ReadAsync(
        string name, CancellationToken cancellationToken)
    {
        try
        {
            var authority = await dns.Authorities.FindZoneAsync(
                ChallengeRecordLocator.Parse(name), DnsAliasHandling.FollowExisting, cancellationToken);
            var responses = await Task.WhenAll(
                from server in await ServersAsync(authority.Zone, cancellationToken)
                from endPoint in server.EndPoints
                select AskAsync(server, endPoint, authority.Name, cancellationToken));
            var useful = responses.OfType<(string, IReadOnlyList<string>)>().ToList();

            // If port 53 does not lead to a name server of the zone, a resolver is enough: the record is long-lived, so caches know it.
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

    private async Task<(string Server, IReadOnlyList<string> Values)> AskResolversAsync(
        DnsName name, CancellationToken cancellationToken)
    {
        var response = await dns.Client.ResolveAsync(name, DnsRecordType.TXT, cancellationToken);
        return ($"the resolver {response.Server}", [.. response.RecordsOf<TxtRecord>().Select(record => record.Text)]);
    }

    private async Task<(string Server, IReadOnlyList<string> Values)?> AskAsync(
        AuthoritativeServer server, IPEndPoint endPoint, DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Client.QueryAsync(endPoint, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken);
            return response is { IsAuthoritative: true, Code: DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN }
                ? ($"{server.Name} ({endPoint})", [.. response.RecordsOf<TxtRecord>().Select(record => record.Text)])
                : null;
        }
        catch (DnsException)
        {
            // The other servers are enough.
            return null;
        }
    }
}

/// <summary>
/// Responds to dns-persist-01 challenges with a record that an operator creates once and keeps. KestrelAcme creates and deletes nothing, so
/// it needs no credentials for the zone.
/// </summary>
internal sealed class DnsPersist01ChallengeHandler(PersistCheck check) : IChallengeHandler
{
    public const string Type = "dns-persist-01";

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public async Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var directory = new PersistDirectory(context.IssuerDomainNames, context.AccountHashPrefix, context.CaaIdentities);
        var issuers = PersistIssuers.Of(context.Identifier, context.OtherMembers, directory);
        var account = new PersistAccount(context.AccountUrl, context.AccountThumbprint, context.ProveAccountAsync);
        var request = PersistCheck.Request(context.Identifier, context.Wildcard, account, issuers, directory);
        var end = await check.CheckAsync([request], cancellationToken);
        context.NoteRecordEnd?.Invoke(end);
    }

    // The record was checked when the challenge was prepared, and has existed for long.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;
}
