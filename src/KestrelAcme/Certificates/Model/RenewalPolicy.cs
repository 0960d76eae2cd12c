namespace KestrelAcme.Certificates.Model;

/// <summary>Decides when a certificate is ordered or asked about. Pure: the same facts give the same answer.</summary>
internal static class RenewalPolicy
{
    // Certificates under ten days get more room: a third of six days would leave one bad weekend.
    private static readonly TimeSpan ShortLifetime = TimeSpan.FromDays(10);

    // Without advice, renewals spread over 2 % of the lifetime, the width of the window that authorities advise.
    private const double Spread = 0.02;
    private const double PauseShare = 0.1;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMinutes(1);

    // After the second, third and any further certificate within the time that counts.
    private static readonly TimeSpan Recent = TimeSpan.FromDays(7);
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromHours(1), TimeSpan.FromHours(6), TimeSpan.FromHours(24)];

    /// <param name="certificate">The certificate that is there.</param>
    /// <param name="renewalInfo">The authority's advice.</param>
    /// <param name="failure">The failures since the last success.</param>
    /// <param name="now">The present.</param>
    /// <param name="unfinished">Whether an order was begun and is not over: it is finished without waiting for the time of the next renewal.</param>
    public static RenewalDecision Decide(
        CertificateFacts? certificate, RenewalInfoRecord? renewalInfo, CertificateFailure? failure, DateTimeOffset now, bool unfinished = false)
    {
        var order = HeldBack(OrderTime(certificate, renewalInfo, now), certificate, now);
        if (unfinished && order.DueAt > now)
        {
            order = new RenewalDecision(CertificateAction.Order, now, RenewalReason.Unfinished);
        }

        if (ClockGuard.Effective(failure, now) is { } counted && counted.NextAttempt > order.DueAt)
        {
            order = order with { DueAt = counted.NextAttempt };
        }

        // The advice ends with the certificate: a replaced or expired one is not asked about.
        if (certificate is not { HasRenewalInfo: true, CoversNames: true, Revocation: RevocationState.None } || certificate.NotAfter <= now)
        {
            return order;
        }

        var poll = ClockGuard.NextPoll(renewalInfo, now);
        return poll < order.DueAt && order.DueAt > now
            ? order with { Action = CertificateAction.PollRenewalInfo, DueAt = poll }
            : order;
    }

    /// <summary>The last moment at which a certificate is renewed, whatever the authority advises.</summary>
    public static DateTimeOffset Deadline(CertificateFacts certificate)
        => certificate.NotAfter - (certificate.Lifetime / (certificate.Lifetime < ShortLifetime ? 4 : 6));

    /// <summary>When a certificate is renewed in the absence of advice, jitter included.</summary>
    public static DateTimeOffset WithoutAdvice(CertificateFacts certificate)
    {
        var left = certificate.Lifetime / (certificate.Lifetime < ShortLifetime ? 2 : 3);
        return certificate.NotAfter - left - (certificate.Lifetime * Spread * certificate.Jitter);
    }

    /// <summary>
    /// Holds back a renewal that follows others closely: an authority that advises to renew each new certificate at once, or whose clock differs from ours by more than its
    /// certificates last, would be asked without end. The first replacement waits for nothing, the next ones for hours: a certificate that is revoked again must not be served for days.
    /// </summary>
    private static RenewalDecision HeldBack(RenewalDecision order, CertificateFacts? certificate, DateTimeOffset now)
    {
        if (certificate is not { Issued.Count: > 1 } || order.Reason is not (RenewalReason.RenewalInfo or RenewalReason.Lifetime or RenewalReason.Deadline))
        {
            return order;
        }

        var last = certificate.Issued[^1];
        var until = last + Pause(certificate.Issued.Count(i => i > last - Recent && i < last), certificate.NotAfter - last);
        return last <= now && until > now && until > order.DueAt ? order with { DueAt = until, HeldUntil = order.DueAt <= now ? until : null } : order;
    }

    /// <param name="before">How many certificates were obtained not long before the last one.</param>
    /// <param name="left">How long the last one had to live when it was obtained.</param>
    private static TimeSpan Pause(int before, TimeSpan left)
    {
        if (before == 0)
        {
            return TimeSpan.Zero;
        }

        // A certificate of ten minutes cannot wait for an hour, but one that comes with a second to live is no reason to order ten in it.
        var share = left * PauseShare;
        share = share < ShortestPause ? Shorter(ShortestPause, left / 2) : share;
        return Shorter(Pauses[Math.Min(before, Pauses.Length) - 1], share > TimeSpan.Zero ? share : ShortestPause);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static RenewalDecision OrderTime(CertificateFacts? certificate, RenewalInfoRecord? renewalInfo, DateTimeOffset now)
    {
        if (certificate is not { CoversNames: true })
        {
            return new RenewalDecision(CertificateAction.Order, now, RenewalReason.Missing);
        }

        if (certificate.Revocation == RevocationState.Replace)
        {
            return new RenewalDecision(CertificateAction.Order, now, RenewalReason.Revoked);
        }

        if (renewalInfo?.ChosenInstant is not { } chosen || certificate.Revocation == RevocationState.OnPurpose)
        {
            return new RenewalDecision(CertificateAction.Order, WithoutAdvice(certificate), RenewalReason.Lifetime);
        }

        var deadline = Deadline(certificate);
        return chosen <= deadline
            ? new RenewalDecision(CertificateAction.Order, chosen, RenewalReason.RenewalInfo)
            : new RenewalDecision(CertificateAction.Order, deadline, RenewalReason.Deadline);
    }
}

/// <summary>The next action for a certificate and its time; a time in the past means now.</summary>
internal readonly record struct RenewalDecision(CertificateAction Action, DateTimeOffset DueAt, RenewalReason Reason)
{
    /// <summary>Until when a renewal that is due is held back, since others came right before; <see langword="null"/> when it is not.</summary>
    public DateTimeOffset? HeldUntil { get; init; }
}

/// <summary>Why an order is due when it is.</summary>
internal enum RenewalReason
{
    /// <summary>There is no certificate, or not for these names.</summary>
    Missing,

    /// <summary>A fraction of the lifetime is left and the authority gave no advice.</summary>
    Lifetime,

    /// <summary>The authority advised it (RFC 9773).</summary>
    RenewalInfo,

    /// <summary>The certificate is revoked.</summary>
    Revoked,

    /// <summary>The last moment at which we renew, whatever the authority advises.</summary>
    Deadline,

    /// <summary>An order was begun and is not over.</summary>
    Unfinished,

    /// <summary>The certificate is abandoned.</summary>
    Abandoned,
}
