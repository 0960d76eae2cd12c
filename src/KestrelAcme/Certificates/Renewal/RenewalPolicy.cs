namespace KestrelAcme.Certificates.Renewal;

/// <summary>Decides when a certificate is ordered or asked about. Pure: the same facts give the same answer.</summary>
internal static class RenewalPolicy
{
    // Certificates under ten days get more room: a third of six days would leave one bad weekend.
    private static readonly TimeSpan ShortLifetime = TimeSpan.FromDays(10);

    // Without advice, renewals spread over 2 % of the lifetime, the width of the window that authorities advise.
    private const double Spread = 0.02;
    private const double PauseShare = 0.1;

    /// <param name="certificate">The certificate that is there.</param>
    /// <param name="renewalInfo">The authority's advice.</param>
    /// <param name="failure">The failures since the last success.</param>
    /// <param name="now">The present.</param>
    /// <param name="unfinished">Whether an order was begun and is not over: it is finished without waiting for the time of the next renewal.</param>
    public static RenewalDecision Decide(
        CertificateFacts? certificate, RenewalInfoRecord? renewalInfo, CertificateFailure? failure, DateTimeOffset now, bool unfinished = false)
    {
        var order = Unhurried(OrderTime(certificate, renewalInfo, now), certificate, now);
        if (unfinished && order.DueAt > now)
        {
            order = new RenewalDecision(CertificateAction.Order, now, RenewalReason.Unfinished);
        }

        if (FailureSanity.Effective(failure, now) is { } counted && counted.NextTry > order.DueAt)
        {
            order = order with { DueAt = counted.NextTry };
        }

        // The advice ends with the certificate: a replaced or expired one is not asked about.
        if (certificate is not { HasRenewalInfo: true, CoversNames: true, Revocation: RevocationState.None } || certificate.NotAfter <= now)
        {
            return order;
        }

        var poll = FailureSanity.NextPoll(renewalInfo, now);
        return poll < order.DueAt && order.DueAt > now
            ? new RenewalDecision(CertificateAction.PollRenewalInfo, poll, order.Reason)
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
    /// Where two certificates were obtained one right after the other, the second is kept for a tenth of the time that it had left: an authority that advises to renew each of them at once,
    /// or one whose clock differs from ours by more than they last, would be asked for certificates without end.
    /// </summary>
    private static RenewalDecision Unhurried(RenewalDecision order, CertificateFacts? certificate, DateTimeOffset now)
    {
        if (certificate is not { Issued.Count: > 1 } || order.Reason is not (RenewalReason.RenewalInfo or RenewalReason.Lifetime or RenewalReason.Deadline))
        {
            return order;
        }

        var (last, before) = (certificate.Issued[^1], certificate.Issued[^2]);
        var pause = (certificate.NotAfter - last) * PauseShare;
        return last <= now && last - before < pause && order.DueAt < last + pause ? order with { DueAt = last + pause } : order;
    }

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
