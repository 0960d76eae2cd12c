using KestrelAcme.Challenges.Places;

namespace KestrelAcme.Certificates.Model;

/// <summary>Decides when a certificate is given up, and when it is taken up again. Pure.</summary>
internal static class AbandonmentPolicy
{
    private static readonly TimeSpan Grace = TimeSpan.FromDays(30);
    private static readonly TimeSpan LookInterval = TimeSpan.FromDays(1);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <summary>Whether it is time to ask where the names lead: the certificate expired long ago, and it is the names that fail.</summary>
    public static bool IsCandidate(CertificateFacts? certificate, CertificateFailure? failure, DateTimeOffset now)
        => certificate is not null && certificate.NotAfter <= now - Grace && failure is { Cause: FailureCause.Name or FailureCause.Operator };

    /// <summary>Whether every name is known to lead elsewhere. A name that might be ours keeps all of them.</summary>
    public static bool IsAbandoned(IReadOnlyCollection<NamePlace> places)
        => places.Count > 0 && places.All(p => p is NamePlace.Gone or NamePlace.Elsewhere);

    /// <summary>Whether a name is there again. DNS that does not answer brings nothing back.</summary>
    public static bool IsBack(IReadOnlyCollection<NamePlace> places)
        => places.Any(p => p is NamePlace.Here or NamePlace.Undecided);

    /// <summary>When to look at the names of an abandoned certificate; now, where the last look was noted while the clock was far ahead.</summary>
    public static DateTimeOffset NextLook(DateTimeOffset? lookedAt, DateTimeOffset now)
        => lookedAt is { } last && last <= now + LargestSkew ? last + LookInterval : now;
}
