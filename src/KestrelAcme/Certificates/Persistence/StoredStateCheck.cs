using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Takes out of a stored state what cannot be so, whoever wrote it: numbers below zero, URLs that are none, advice that contradicts itself. Times are judged where the present is known. Pure.</summary>
internal static class StoredStateCheck
{
    private const int MostFailures = 10_000;

    public static CertificateStateRecord Repair(CertificateStateRecord record)
    {
        if (!Enum.IsDefined(record.State))
        {
            record = record with { State = default };
        }

        if (record.Failure is { } failure && (failure.Count is < 0 or > MostFailures || !Enum.IsDefined(failure.Cause)))
        {
            record = record with { Failure = failure with { Count = Math.Clamp(failure.Count, 0, MostFailures), Cause = Enum.IsDefined(failure.Cause) ? failure.Cause : FailureCause.Local } };
        }

        if (record.AuthorityFailures?.Values.Any(count => count is < 0 or > MostFailures) == true)
        {
            record = record with { AuthorityFailures = record.AuthorityFailures.ToDictionary(f => f.Key, f => Math.Clamp(f.Value, 0, MostFailures), StringComparer.Ordinal) };
        }

        if (record.RenewalInfo is { ChosenInstant: { } chosen } info && !(info.WindowStart <= chosen && chosen <= info.WindowEnd))
        {
            // The authority is asked again.
            record = record with { RenewalInfo = null };
        }

        if (record.RenewalInfo is { ExplanationUrl.IsAbsoluteUri: false } advice)
        {
            record = record with { RenewalInfo = advice with { ExplanationUrl = null } };
        }

        return record.StoredOrder is { } pending && !IsPossible(pending) ? record with { StoredOrder = null } : record;
    }

    private static bool IsPossible(StoredOrder pending)
        => pending.Names.Count > 0 && !pending.Names.Contains(null) && pending.DirectoryUrl.IsAbsoluteUri && pending.AccountUrl.IsAbsoluteUri
            && pending.OrderUrl is not { IsAbsoluteUri: false } && pending.CertificateUrl is not { IsAbsoluteUri: false };
}
