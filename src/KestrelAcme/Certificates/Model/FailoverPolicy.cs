
namespace KestrelAcme.Certificates.Model;

/// <summary>Chooses the authority of the next order: the first, unless it refuses the account, failed too often by its own fault, or waiting for it would cost too much of the lifetime. Pure.</summary>
internal static class FailoverPolicy
{
    /// <summary>How many failures of an authority send an order to the next.</summary>
    public const int DefaultFailures = 3;

    // Without a certificate nothing is served: an authority in trouble is probed that often, and one that asks for a longer wait is not waited for.
    private static readonly TimeSpan LongestWaitForTheFirst = TimeSpan.FromMinutes(15);

    public static int Choose(IReadOnlyList<AuthorityCandidate> authorities, CertificateFacts? certificate, DateTimeOffset now)
    {
        for (var i = 0; i < authorities.Count; i++)
        {
            if (!authorities[i].IsBlocked && authorities[i].Failures < DefaultFailures && !CostsTooMuch(authorities[i], certificate, now))
            {
                return i;
            }
        }

        // All of them fail: one that may be asked, that failed least, the earlier of equals.
        return Enumerable.Range(0, authorities.Count).MinBy(i => (authorities[i].IsBlocked, authorities[i].OpenUntil > now, authorities[i].Failures));
    }

    private static bool CostsTooMuch(AuthorityCandidate authority, CertificateFacts? certificate, DateTimeOffset now)
        => authority.OpenUntil > now
            && (certificate is null ? authority.OpenUntil > now + LongestWaitForTheFirst : authority.OpenUntil > certificate.NotAfter - (certificate.Lifetime / 4));
}
