namespace KestrelAcme.Certificates.Model;

/// <summary>Decides what about a certificate an operator should look at. Pure.</summary>
internal static class CertificateHealthPolicy
{
    /// <summary>
    /// How late a renewal may be, as a share of the lifetime: four and a half days of 90, when more than 25 are left, and seven hours of
    /// six days, when more than two and a half days are left. An outage of the CA that ends by itself is shorter; a person still has time.
    /// </summary>
    public const double OverdueShare = 0.05;

    private static readonly (CertificateProblems Problem, string Text)[] Texts =
    [
        (CertificateProblems.Expired, "expired"),
        (CertificateProblems.Missing, "no certificate for its names"),
        (CertificateProblems.Overdue, "renewal overdue"),
        (CertificateProblems.Blocked, "blocked until an operator acts"),
    ];

    /// <summary>Says in words what is wrong; empty if nothing is.</summary>
    public static string Describe(CertificateProblems problems)
        => string.Join(", ", Texts.Where(t => problems.HasFlag(t.Problem)).Select(t => t.Text));

    /// <param name="certificate">The served certificate; <see langword="null"/> if there is none.</param>
    /// <param name="dueAt">When its renewal is due, as if nothing had failed.</param>
    /// <param name="isBlocked">Whether only an operator can get the next order to succeed.</param>
    /// <param name="isAbandoned">
    /// Whether it was given up because its names no longer lead to this app. Then nobody sees that it has expired.
    /// </param>
    /// <param name="now">The current time.</param>
    public static CertificateProblems Find(
        CertificateFacts? certificate, DateTimeOffset dueAt, bool isBlocked, bool isAbandoned, DateTimeOffset now)
    {
        if (isAbandoned)
        {
            return CertificateProblems.None;
        }

        var problems = isBlocked ? CertificateProblems.Blocked : CertificateProblems.None;
        if (certificate is { } served && served.NotAfter <= now)
        {
            problems |= CertificateProblems.Expired;
        }

        return certificate is not { CoversNames: true } ? problems | CertificateProblems.Missing
            : IsOverdue(certificate, dueAt, now) ? problems | CertificateProblems.Overdue
            : problems;
    }

    // A CA may suggest a time before the certificate was issued. It has not been late since then.
    private static bool IsOverdue(CertificateFacts certificate, DateTimeOffset dueAt, DateTimeOffset now)
    {
        var since = dueAt > certificate.NotBefore ? dueAt : certificate.NotBefore;
        return now - since > certificate.Lifetime * OverdueShare;
    }
}

/// <summary>What an operator should look at.</summary>
[Flags]
internal enum CertificateProblems
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The served certificate has expired.</summary>
    Expired = 1,

    /// <summary>There is no certificate for some or all of the names.</summary>
    Missing = 2,

    /// <summary>The renewal is late.</summary>
    Overdue = 4,

    /// <summary>The next order cannot succeed until an operator acts.</summary>
    Blocked = 8,
}
