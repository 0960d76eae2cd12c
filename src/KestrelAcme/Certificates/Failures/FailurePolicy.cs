using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Failures;

/// <summary>Adds a failure to the history and decides when to try again. Pure.</summary>
internal static class FailurePolicy
{
    private static readonly TimeSpan ShortestRetryAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestSpreadAfterAsked = TimeSpan.FromMinutes(30);

    // Certificates with a shorter lifetime are tried at least hourly once they have expired.
    private static readonly TimeSpan ShortLifetime = TimeSpan.FromDays(10);
    private static readonly TimeSpan ShortestShare = TimeSpan.FromMinutes(1);

    // An hour, including the jitter.
    private static readonly TimeSpan LongestShare = TimeSpan.FromMinutes(54);
    private static readonly TimeSpan ShortestOnceExpired = TimeSpan.FromMinutes(12);
    private const int ShareOfTheLifeLeft = 3;
    private const int ShareOfTheLifetime = 10;

    /// <param name="previous">The failures since the last success.</param>
    /// <param name="report">What failed now.</param>
    /// <param name="run">How often it failed in a row, by cause, and when validations failed.</param>
    /// <param name="certificate">The certificate that is served; <see langword="null"/> if there is none.</param>
    /// <param name="schedule">The waits.</param>
    /// <param name="now">The current time.</param>
    /// <param name="jitter">A random number from 0 (inclusive) to 1 (exclusive).</param>
    public static FailureRecord Next(
        FailureRecord? previous, FailureReport report, FailureRun run, CertificateFacts? certificate, RetrySchedule schedule,
        DateTimeOffset now, double jitter)
    {
        previous = ClockGuard.Effective(previous, now);

        // Only failures of the name advance its back-off. An outage in between leaves it where it was.
        var count = (previous?.Count ?? 0) + (report.Cause is FailureCause.Name or FailureCause.Operator ? 1 : 0);
        var local = (previous?.LocalCount ?? 0) + (report.Cause == FailureCause.Local ? 1 : 0);
        var wait = WithinLife(report, Wait(report, count, local, run, schedule), certificate, now);
        wait += Spread(wait, report, schedule) * jitter;

        // A name that waits for a day is not tried earlier because the CA failed in the meantime.
        var next = now + wait;
        if (report.Cause is FailureCause.Authority or FailureCause.Local
            && previous is { Cause: FailureCause.Name or FailureCause.Operator }
            && previous.NextAttempt > next && ClockGuard.IsPlausibleWait(previous.NextAttempt, now))
        {
            next = previous.NextAttempt;
        }

        if (FailedValidationPolicy.NextSensible(run.FailedValidations ?? [], now) is { } allowed && allowed > next)
        {
            next = allowed;
        }

        return new FailureRecord
        {
            Count = count,
            LocalCount = local,
            ProblemType = report.ProblemType,
            Message = QuotedText.Of(report.Message),
            Cause = report.Cause,
            At = now,
            NextAttempt = next,
            RequiredRecords = report.RequiredRecords,

            // An outage in between changes nothing about what was seen.
            Addresses = report.IsOfAddresses ? AddressWatch.AfterFailure(previous?.Addresses)
                : report.Cause is FailureCause.Authority or FailureCause.Local ? previous?.Addresses
                : null,
        };
    }

    /// <summary>How long a CA is left alone if it fails for all names.</summary>
    public static TimeSpan Outage(
        FailureReport report, int authorityFailures, RetrySchedule schedule, CertificateFacts? certificate, DateTimeOffset now)
        => WithinLife(report, Outage(report, authorityFailures, schedule), certificate, now);

    /// <summary>How long a CA is left alone, whatever certificate is ordered.</summary>
    public static TimeSpan Outage(FailureReport report, int authorityFailures, RetrySchedule schedule)
        => report.Cause == FailureCause.Operator
            ? schedule.AuthorityLongest
            : Wait(report, 0, 1, new FailureRun(Math.Max(authorityFailures, 1)), schedule);

    /// <summary>
    /// Limits a wait by the remaining lifetime of the current certificate, so that a repair is noticed before it expires. An expired
    /// certificate with a short lifetime is tried at least hourly. A wait that the CA asked for is never shortened.
    /// </summary>
    private static TimeSpan WithinLife(FailureReport report, TimeSpan wait, CertificateFacts? certificate, DateTimeOffset now)
    {
        if (certificate is not { CoversNames: true } || report.RetryAfter is not null)
        {
            return wait;
        }

        var left = certificate.NotAfter - now;
        var shortest = Clamp(certificate.Lifetime / ShareOfTheLifetime, ShortestShare, LongestShare);
        TimeSpan? longest = left > shortest ? Longer(left / ShareOfTheLifeLeft, shortest)
            : certificate.Lifetime < ShortLifetime ? Longer(shortest, ShortestOnceExpired)
            : null;
        return wait > longest ? longest.Value : wait;
    }

    private static TimeSpan Wait(FailureReport report, int count, int local, FailureRun run, RetrySchedule schedule)
    {
        if (report.RetryAfter is { } asked)
        {
            return Clamp(asked, ShortestRetryAfter, LongestRetryAfter);
        }

        return report.Cause switch
        {
            FailureCause.Name => schedule.Name[Math.Clamp(count - 1, 0, schedule.Name.Count - 1)],
            FailureCause.Operator => schedule.Operator,
            FailureCause.Authority => run.OfThisCertificate > run.OfTheAuthority
                // The CA works for other certificates. If a CA is down, its return is noticed within minutes; this certificate need not be
                // tried that often forever.
                ? Doubled(schedule.AuthorityFirst, run.OfThisCertificate, Longer(schedule.LocalLongest, schedule.AuthorityLongest))
                : Doubled(schedule.AuthorityFirst, run.OfTheAuthority, schedule.AuthorityLongest),
            _ => Doubled(schedule.Local, local, schedule.LocalLongest),
        };
    }

    // A tenth of a week is most of a day. If the CA says when to come back, KestrelAcme comes back soon after.
    private static TimeSpan Spread(TimeSpan wait, FailureReport report, RetrySchedule schedule)
    {
        var spread = wait * schedule.JitterShare;
        return report.RetryAfter is not null && spread > LongestSpreadAfterAsked ? LongestSpreadAfterAsked : spread;
    }

    private static TimeSpan Doubled(TimeSpan first, int failures, TimeSpan longest)
    {
        var wait = first * Math.Pow(2, Math.Clamp(failures - 1, 0, 20));
        return wait < longest ? wait : longest;
    }

    private static TimeSpan Clamp(TimeSpan value, TimeSpan least, TimeSpan most) => value < least ? least : value > most ? most : value;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
