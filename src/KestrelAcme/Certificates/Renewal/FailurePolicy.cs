namespace KestrelAcme.Certificates.Renewal;

/// <summary>Adds one failure to the history and sets the time of the next try. Pure.</summary>
internal static class FailurePolicy
{
    private static readonly TimeSpan ShortestRetryAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestSpreadAfterAsked = TimeSpan.FromMinutes(30);

    public static CertificateFailure Next(
        CertificateFailure? previous, FailureReport report, int authorityFailures, RetrySchedule schedule, DateTimeOffset now, double jitter)
    {
        previous = FailureSanity.Effective(previous, now);

        // Only what the name did wrong advances its back-off; an outage in between leaves it where it was.
        var count = (previous?.Count ?? 0) + (report.Cause is FailureCause.Name or FailureCause.Operator ? 1 : 0);
        var wait = Wait(report, count, authorityFailures, schedule);
        wait += Spread(wait, report, schedule) * jitter;

        // A name that waits for a day is not tried earlier because the authority failed meanwhile.
        var next = now + wait;
        if (report.Cause is FailureCause.Authority or FailureCause.Local && previous is { Cause: FailureCause.Name or FailureCause.Operator } && previous.NextTry > next)
        {
            next = previous.NextTry;
        }

        return new CertificateFailure
        {
            Count = count,
            ProblemType = report.ProblemType,
            Message = report.Message,
            Cause = report.Cause,
            At = now,
            NextTry = next,
            RequiredRecords = report.RequiredRecords,
        };
    }

    /// <summary>How long an authority that fails all names alike is left alone.</summary>
    public static TimeSpan Outage(FailureReport report, int authorityFailures, RetrySchedule schedule)
        => report.Cause == FailureCause.Operator ? schedule.AuthorityLongest : Wait(report, 0, Math.Max(authorityFailures, 1), schedule);

    private static TimeSpan Wait(FailureReport report, int count, int authorityFailures, RetrySchedule schedule)
    {
        if (report.RetryAfter is { } asked)
        {
            return asked < ShortestRetryAfter ? ShortestRetryAfter : asked > LongestRetryAfter ? LongestRetryAfter : asked;
        }

        return report.Cause switch
        {
            FailureCause.Name => schedule.Name[Math.Clamp(count - 1, 0, schedule.Name.Count - 1)],
            FailureCause.Operator => schedule.Operator,
            FailureCause.Authority => Doubled(schedule.AuthorityFirst, authorityFailures, schedule.AuthorityLongest),
            _ => schedule.Local,
        };
    }

    // A tenth of a week is most of a day: who was told when to come back comes back soon after.
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
}
