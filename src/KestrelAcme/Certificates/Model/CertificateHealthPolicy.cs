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

/// <summary>Creates the public status of a managed certificate.</summary>
internal static class CertificateStatuses
{
    private const string PersistType = "dns-persist-01";

    public static CertificateStatus Create(ManagedCertificate certificate, bool orders, DateTimeOffset now)
    {
        var current = certificate.Current;
        var state = certificate.State;
        var order = certificate.Decide(renewalInfoOffered: false, now);
        var blocked = certificate.Blocked?.Invoke();
        return new CertificateStatus
        {
            Id = certificate.Id,
            DomainNames = [.. certificate.Specification.Identifiers.Select(i => i.Value)],
            State = StateOf(certificate),
            SerialNumber = current?.SerialNumber,
            Issuer = current?.Issuer,
            NotBefore = current?.NotBefore,
            NotAfter = current?.NotAfter,
            DirectoryUrl = current?.Record.Metadata.DirectoryUrl is { } url && url != CertificateMetadata.UnknownUrl ? url : null,
            AccountUrl = current?.Record.Metadata.AccountUrl is { } account && account != CertificateMetadata.UnknownUrl ? account : null,
            NextOrder = orders && !certificate.IsLeftToExpire(now) ? NextOrder(order, blocked) : null,
            HeldBackUntil = orders ? order.HeldUntil : null,
            PersistRecordsUntil = certificate.Specification.ChallengeTypes.Contains(PersistType) ? state.RecordsEnd : null,
            RenewalExplanation = state.RenewalInfo?.ExplanationUrl,
            Revoked = current is not null && state.Revocation?.SerialNumber == current.SerialNumber,
            Failure = (blocked?.ToFailure(state.Failure?.Count ?? 0) ?? state.Failure)?.ToPublic(certificate.Hints),
            OrderUrl = state.StoredOrder?.OrderUrl,
        };
    }

    /// <summary>Returns the state, as the status shows it.</summary>
    public static CertificateState StateOf(ManagedCertificate certificate)
        => certificate.Blocked?.Invoke() is null ? certificate.State.State : CertificateState.Blocked;

    /// <summary>Returns the planned time of the next order; <see langword="null"/> if none is planned.</summary>
    public static DateTimeOffset? NextOrder(ManagedCertificate certificate, DateTimeOffset now)
        => certificate.IsLeftToExpire(now) ? null
            : NextOrder(certificate.Decide(renewalInfoOffered: false, now), certificate.Blocked?.Invoke());

    private static DateTimeOffset? NextOrder(RenewalDecision order, AccountBlock? blocked)
        => order.Action != CertificateAction.Order ? null
            : blocked?.NextAttempt > order.DueAt ? blocked.NextAttempt
            : order.DueAt;
}
