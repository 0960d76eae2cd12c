using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.Challenges.Dns01.Caa;

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
