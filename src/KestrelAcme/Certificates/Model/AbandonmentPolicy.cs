using KestrelAcme.Challenges.Routing;

namespace KestrelAcme.Certificates.Model;

/// <summary>Decides when a certificate is abandoned, and when it is ordered again. Pure.</summary>
internal static class AbandonmentPolicy
{
    private static readonly TimeSpan Grace = TimeSpan.FromDays(30);
    private static readonly TimeSpan LookInterval = TimeSpan.FromDays(1);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <summary>Whether to check where the names point: the certificate expired long ago, and the names are what fails.</summary>
    public static bool IsCandidate(CertificateFacts? certificate, FailureRecord? failure, DateTimeOffset now)
        => certificate is not null
            && certificate.NotAfter <= now - Grace && failure is { Cause: FailureCause.Name or FailureCause.Operator };

    /// <summary>Whether every name is known to point elsewhere. A name that might still point here keeps the certificate.</summary>
    public static bool IsAbandoned(IReadOnlyCollection<NameRoute> places)
        => places.Count > 0 && places.All(p => p is NameRoute.Gone or NameRoute.Elsewhere);

    /// <summary>Whether a name points here again. If DNS does not answer, no name does.</summary>
    public static bool IsBack(IReadOnlyCollection<NameRoute> places)
        => places.Any(p => p is NameRoute.Here or NameRoute.Undecided);

    /// <summary>
    /// Returns the time of the next check of the names. If the last check was recorded while the clock was far ahead, it is now.
    /// </summary>
    public static DateTimeOffset NextLook(DateTimeOffset? lookedAt, DateTimeOffset now)
        => lookedAt is { } last && last <= now + LargestSkew ? last + LookInterval : now;
}
