using KestrelAcme.Challenges.Routing;

namespace KestrelAcme.Certificates.Model;

/// <summary>Decides when a certificate is ordered, or when the CA is asked about it. Pure: the same facts give the same result.</summary>
internal static class RenewalPolicy
{
    // Certificates with a lifetime under ten days get more time: a third of six days would not survive a bad weekend.
    private static readonly TimeSpan ShortLifetime = TimeSpan.FromDays(10);

    // Without renewal information, renewals are spread over 2 % of the lifetime, the usual width of a suggested window.
    private const double Spread = 0.02;
    private const double PauseShare = 0.1;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMinutes(1);

    // After the second, third and each further certificate within this time.
    private static readonly TimeSpan Recent = TimeSpan.FromDays(7);
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromHours(1), TimeSpan.FromHours(6), TimeSpan.FromHours(24)];

    /// <param name="certificate">The current certificate.</param>
    /// <param name="renewalInfo">The renewal information of the CA.</param>
    /// <param name="failure">The failures since the last success.</param>
    /// <param name="now">The current time.</param>
    /// <param name="unfinished">Whether an order was begun and is not over. It is finished without waiting for the next renewal.</param>
    public static RenewalDecision Decide(
        CertificateFacts? certificate, RenewalInfoRecord? renewalInfo, FailureRecord? failure, DateTimeOffset now,
        bool unfinished = false)
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

        // Renewal information ends with the certificate: nothing is requested for one that was replaced or has expired.
        if (certificate is not { HasRenewalInfo: true, CoversNames: true, Revocation: RevocationState.None } || certificate.NotAfter <= now)
        {
            return order;
        }

        var poll = ClockGuard.NextPoll(renewalInfo, now);
        return poll < order.DueAt && order.DueAt > now
            ? order with { Action = CertificateAction.PollRenewalInfo, DueAt = poll }
            : order;
    }

    /// <summary>Returns the time of the next order as if nothing had failed.</summary>
    public static DateTimeOffset DueAt(CertificateFacts? certificate, RenewalInfoRecord? renewalInfo, DateTimeOffset now)
        => HeldBack(OrderTime(certificate, renewalInfo, now), certificate, now).DueAt;

    /// <summary>Returns the latest time of a renewal, whatever the CA suggests.</summary>
    public static DateTimeOffset Deadline(CertificateFacts certificate)
        => certificate.NotAfter - (certificate.Lifetime / (certificate.Lifetime < ShortLifetime ? 4 : 6));

    /// <summary>Returns the time of a renewal without renewal information, including the jitter.</summary>
    public static DateTimeOffset WithoutAdvice(CertificateFacts certificate)
    {
        var left = certificate.Lifetime / (certificate.Lifetime < ShortLifetime ? 2 : 3);
        return certificate.NotAfter - left - (certificate.Lifetime * Spread * certificate.Jitter);
    }

    /// <summary>
    /// Holds back a renewal that closely follows others. Otherwise a CA that suggests to renew each new certificate at once, or whose clock
    /// differs by more than the lifetime of its certificates, would cause orders without end. The first replacement is not held back, the
    /// next ones for hours: a certificate that is revoked again must not be served for days.
    /// </summary>
    private static RenewalDecision HeldBack(RenewalDecision order, CertificateFacts? certificate, DateTimeOffset now)
    {
        if (certificate is not { Issued.Count: > 1 }
            || order.Reason is not (RenewalReason.RenewalInfo or RenewalReason.Lifetime or RenewalReason.Deadline))
        {
            return order;
        }

        var last = certificate.Issued[^1];
        var until = last + Pause(certificate.Issued.Count(i => i > last - Recent && i < last), certificate.NotAfter - last);
        return last <= now && until > now && until > order.DueAt
            ? order with { DueAt = until, HeldUntil = order.DueAt <= now ? until : null }
            : order;
    }

    /// <param name="before">The number of certificates that were obtained shortly before the last one.</param>
    /// <param name="left">The remaining lifetime of the last one when it was obtained.</param>
    private static TimeSpan Pause(int before, TimeSpan left)
    {
        if (before == 0)
        {
            return TimeSpan.Zero;
        }

        // A certificate with a lifetime of ten minutes cannot wait for an hour, but one that comes with a second to live is no reason for
        // ten orders in that second.
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

/// <summary>The next job for a certificate and its time. A time in the past means now.</summary>
internal readonly record struct RenewalDecision(CertificateAction Action, DateTimeOffset DueAt, RenewalReason Reason)
{
    /// <summary>
    /// The time until which a due renewal is held back, because others came shortly before; <see langword="null"/> if it is not.
    /// </summary>
    public DateTimeOffset? HeldUntil { get; init; }
}

/// <summary>The reasons for the time of an order.</summary>
internal enum RenewalReason
{
    /// <summary>There is no certificate, or it does not have these names.</summary>
    Missing,

    /// <summary>A fraction of the lifetime is left, and the CA suggested no time.</summary>
    Lifetime,

    /// <summary>The CA suggested the time (RFC 9773).</summary>
    RenewalInfo,

    /// <summary>The certificate is revoked.</summary>
    Revoked,

    /// <summary>The latest time of a renewal, whatever the CA suggests.</summary>
    Deadline,

    /// <summary>An order was begun and is not over.</summary>
    Unfinished,

    /// <summary>The certificate is abandoned.</summary>
    Abandoned,
}

/// <summary>The kinds of jobs for a certificate.</summary>
internal enum CertificateAction
{
    /// <summary>Order or renew the certificate.</summary>
    Order,

    /// <summary>Get the renewal information of the CA (RFC 9773).</summary>
    PollRenewalInfo,

    /// <summary>Check whether the names of an abandoned certificate point here again.</summary>
    LookForNames,

    /// <summary>Check whether DNS shows what an operator had to fix.</summary>
    LookAtRecords,
}

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

/// <summary>Decides which stored times still count if the clock may have been wrong. Pure.</summary>
internal static class ClockGuard
{
    // The longest wait is a week, plus up to a tenth of jitter.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(8);
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    /// <returns>
    /// The failure; <see langword="null"/> if it was recorded while the clock was far ahead, because its wait would never end.
    /// </returns>
    public static FailureRecord? Effective(FailureRecord? failure, DateTimeOffset now)
        => failure is null || failure.At > now + LargestSkew || failure.NextAttempt > now + LongestWait ? null : failure;

    /// <summary>
    /// Whether a time is ahead, but not by more than the longest wait. A longer one was recorded while the clock was far ahead.
    /// </summary>
    public static bool IsPlausibleWait(DateTimeOffset until, DateTimeOffset now) => until > now && until <= now + LongestWait;

    /// <summary>
    /// Returns the time of the next request for renewal information; now, if it was recorded while the clock was far ahead.
    /// </summary>
    public static DateTimeOffset NextPoll(RenewalInfoRecord? renewalInfo, DateTimeOffset now)
        => renewalInfo is null || renewalInfo.NextPoll > now + TimeSpan.FromDays(1) + LargestSkew ? now : renewalInfo.NextPoll;
}

/// <summary>A caller's request that waits for the outcome of the next attempt.</summary>
internal sealed class RenewalRequest
{
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isForced;

    public Task Outcome => _outcome.Task;

    /// <summary>Whether the attempt is made now, whatever was planned, because the application asked for a renewal.</summary>
    public bool IsForced => _isForced;

    public void Force() => _isForced = true;

    /// <summary>Completes another request with the outcome of this one.</summary>
    public void AnswerToo(RenewalRequest other)
        => _outcome.Task.ContinueWith(
            done => other.Complete(done.Exception?.InnerException),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    public void Complete(Exception? failure)
    {
        if (failure is null)
        {
            _outcome.TrySetResult();
            return;
        }

        _outcome.TrySetException(failure);

        // The caller may no longer wait. The failure is in the log already, so it must not become an unobserved task exception.
        _ = _outcome.Task.Exception;
    }
}
