using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>Looks up and evaluates the CAA records of all names of an order at once.</summary>
internal sealed class CaaCheck(DnsAccess dns, TimeProvider time, ILogger<CaaCheck> logger) : ICaaCheck
{
    // Resolvers that do not respond must not delay an order for long, because the CA looks for itself.
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(10);
    private const int MaximumLookUps = 8;

    public async Task CheckAsync(CaaRequest request, CancellationToken cancellationToken)
    {
        if (request.CaaIdentities.Count == 0 || request.Subjects.Count == 0)
        {
            return;
        }

        using var limit = new TimeLimit(LookUpTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var lookUps = new SemaphoreSlim(MaximumLookUps);
        var forbidden = await Task.WhenAll(request.Subjects.Select(subject => CheckAsync(subject, request, lookUps, both.Token)));
        cancellationToken.ThrowIfCancellationRequested();
        if (forbidden.OfType<CaaRefusal>().ToList() is { Count: > 0 } refusals)
        {
            throw new ChallengeException($"{string.Join(" ", refusals.Select(r => r.Reason))} No order was placed.")
            {
                Fault = ChallengeFault.Operator,
                RequiredRecords = [.. refusals.Select(r => r.RecordToAdd).Distinct()],
            };
        }
    }

    /// <returns>Why the order is forbidden, or <see langword="null"/>.</returns>
    private async Task<CaaRefusal?> CheckAsync(
        CaaSubject subject, CaaRequest request, SemaphoreSlim lookUps, CancellationToken cancellationToken)
    {
        try
        {
            await lookUps.WaitAsync(cancellationToken);
            try
            {
                return Judge(subject, request, await dns.Caa.FindAsync(ChallengeRecordLocator.Parse(subject.Name), cancellationToken));
            }
            finally
            {
                lookUps.Release();
            }
        }
        catch (DnsException exception)
        {
            logger.CaaNotLookedUp(subject.ToString(), exception.Message);
        }
        catch (OperationCanceledException)
        {
            // CheckAsync checks the caller's token after all lookups.
            logger.CaaNotLookedUp(subject.ToString(), $"The lookup did not finish within {LookUpTime.TotalSeconds:0} s.");
        }

        return null;
    }

    private CaaRefusal? Judge(CaaSubject subject, CaaRequest request, CaaRecordSet set)
    {
        var verdict = CaaPolicy.Judge(set.Records, subject, request);
        if (verdict.Kind == CaaVerdictKind.Allowed)
        {
            return null;
        }

        var owner = set.FoundAt?.ToString() ?? subject.Name;
        var record = CaaPolicy.RecordToAdd(owner, subject.Wildcard, request);
        var reason = $"{subject}: the CAA record set of {owner} {verdict.Reason}. Add: {record}";
        if (verdict.Kind == CaaVerdictKind.Forbidden && set.IsAuthoritative)
        {
            return new CaaRefusal($"{reason}.", record);
        }

        logger.CaaMayForbid(
            reason, set.IsAuthoritative ? "the CA may interpret it otherwise" : "only a resolver says so, not a name server of the zone");
        return null;
    }
}

/// <summary>Why an order for a name is forbidden, and the record that would allow it.</summary>
internal sealed record CaaRefusal(string Reason, RequiredDnsRecord RecordToAdd);

/// <summary>Checks before an order whether CAA records forbid it (RFC 8659, RFC 8657).</summary>
internal interface ICaaCheck
{
    /// <summary>
    /// Returns if nothing is known to forbid the order. What only a resolver says, or what cannot be looked up in time, is logged and
    /// forbids nothing. Without <see cref="CaaRequest.CaaIdentities"/> nothing is looked up.
    /// </summary>
    /// <exception cref="ChallengeException">
    /// Name servers of the zone itself forbid it; <see cref="ChallengeException.Fault"/> is <see cref="ChallengeFault.Operator"/>, and the
    /// message contains the record to add.
    /// </exception>
    Task CheckAsync(CaaRequest request, CancellationToken cancellationToken);
}

/// <summary>The order that is about to be placed: names, account and challenge types.</summary>
internal sealed record CaaRequest
{
    /// <summary>The DNS names. IP addresses have no CAA records.</summary>
    public required IReadOnlyList<CaaSubject> Subjects { get; init; }

    /// <summary>The CA's names in CAA records; empty if its directory has none, in which case nothing can be checked.</summary>
    public required IReadOnlyList<string> CaaIdentities { get; init; }

    /// <summary>The URL of the account.</summary>
    public required Uri AccountUrl { get; init; }

    /// <summary>The challenge types that may be used.</summary>
    public required IReadOnlyList<string> ChallengeTypes { get; init; }
}

/// <summary>A DNS name to be included in a certificate.</summary>
/// <param name="Name">A lower-case A-label without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is ordered.</param>
internal sealed record CaaSubject(string Name, bool Wildcard)
{
    public override string ToString() => Wildcard ? $"*.{Name}" : Name;
}

/// <summary>Looks up CAA records, one name after the other, until one names an account.</summary>
internal sealed class CaaAccounts(DnsAccess dns, TimeProvider time) : ICaaAccounts
{
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(10);

    public async Task<bool> AreNamedAsync(
        IReadOnlyList<CaaSubject> subjects, IReadOnlyList<string> caaIdentities, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(LookUpTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            foreach (var subject in subjects)
            {
                var set = await dns.Caa.FindAsync(ChallengeRecordLocator.Parse(subject.Name), both.Token);
                if (CaaPolicy.NamesAccount(set.Records, subject, caaIdentities))
                {
                    return true;
                }
            }
        }
        catch (Exception exception) when (exception is DnsException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The CA looks for itself.
        }

        return false;
    }
}

/// <summary>Determines whether CAA records bind names to accounts (RFC 8657 section 3).</summary>
internal interface ICaaAccounts
{
    /// <returns>
    /// Whether a record of any name allows a CA only for certain accounts; <see langword="false"/> if a lookup does not finish in time.
    /// </returns>
    Task<bool> AreNamedAsync(
        IReadOnlyList<CaaSubject> subjects, IReadOnlyList<string> caaIdentities, CancellationToken cancellationToken);
}
