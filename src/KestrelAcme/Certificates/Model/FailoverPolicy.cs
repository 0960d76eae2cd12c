namespace KestrelAcme.Certificates.Model;

/// <summary>
/// Chooses the CA of the next order: the first one, unless it refuses the account, failed too often through its own fault, or waiting for
/// it would take too much of the lifetime. Pure.
/// </summary>
internal static class FailoverPolicy
{
    /// <summary>The number of failures of a CA after which an order goes to the next.</summary>
    public const int DefaultFailures = 3;

    // Without a certificate, nothing is served: a failing CA is tried that often, and a CA that asks for a longer wait is skipped.
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

        // All CAs fail. Take one that may be asked, with the fewest failures, the first of equals.
        return Enumerable.Range(0, authorities.Count).MinBy(
            i => (authorities[i].IsBlocked, authorities[i].OpenUntil > now, authorities[i].Failures));
    }

    private static bool CostsTooMuch(AuthorityCandidate authority, CertificateFacts? certificate, DateTimeOffset now)
        => authority.OpenUntil > now
            && authority.OpenUntil > (
                certificate is null ? now + LongestWaitForTheFirst : certificate.NotAfter - (certificate.Lifetime / 4));
}

/// <summary>A CA that could be used for an order.</summary>
/// <param name="Id">The ID of the CA.</param>
/// <param name="Failures">How often in a row this certificate failed through the CA's fault.</param>
/// <param name="OpenUntil">The time until which the CA is left alone.</param>
internal sealed record AuthorityCandidate(string Id, int Failures, DateTimeOffset OpenUntil)
{
    /// <summary>Whether the CA refuses the account or the profile, whatever the names are.</summary>
    public bool IsBlocked { get; init; }
}
