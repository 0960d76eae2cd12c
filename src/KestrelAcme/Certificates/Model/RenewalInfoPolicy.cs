namespace KestrelAcme.Certificates.Model;

/// <summary>Turns answers, and the lack of answers, to a question for renewal information into what is kept. Pure.</summary>
internal static class RenewalInfoPolicy
{
    private static readonly TimeSpan ShortestPoll = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromDays(1);
    private static readonly TimeSpan DefaultPoll = TimeSpan.FromHours(6);

    // What was advised during an outage is to be heard soon after it; how much an authority in trouble is asked is bounded for all certificates together.
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromHours(1);

    /// <summary>Keeps a valid answer: the chosen instant stays while the window stays, and is drawn anew when it moves.</summary>
    public static RenewalInfoRecord Accept(
        RenewalInfoRecord? previous, DateTimeOffset start, DateTimeOffset end, Uri? explanation, TimeSpan? retryAfter, DateTimeOffset now, double jitter)
    {
        var same = previous is { ChosenInstant: not null } && previous.WindowStart == start && previous.WindowEnd == end;
        return new RenewalInfoRecord
        {
            WindowStart = start,
            WindowEnd = end,
            ChosenInstant = same ? previous!.ChosenInstant : start + ((end - start) * jitter),
            ExplanationUrl = explanation,
            NextPoll = now + Clamp(retryAfter ?? DefaultPoll),
        };
    }

    /// <summary>Keeps the advice that we have after an answer that makes no sense.</summary>
    public static RenewalInfoRecord Reject(RenewalInfoRecord? previous, DateTimeOffset now)
        => Keep(previous) with { NextPoll = now + DefaultPoll };

    /// <summary>Keeps the advice that we have when the authority did not answer: 1 minute, doubling up to an hour, or what it asked for.</summary>
    public static RenewalInfoRecord Fail(RenewalInfoRecord? previous, TimeSpan? retryAfter, DateTimeOffset now)
    {
        var failures = Math.Min((previous?.Failures ?? 0) + 1, 30);
        var backOff = TimeSpan.FromMinutes(Math.Min(Math.Pow(2, failures - 1), LongestBackOff.TotalMinutes));
        return Keep(previous) with { Failures = failures, NextPoll = now + (retryAfter is { } asked ? Clamp(asked) : backOff) };
    }

    /// <summary>The authority offers none: looked at again in a day, since authorities learn.</summary>
    public static RenewalInfoRecord NotOffered(DateTimeOffset now) => new() { NextPoll = now + LongestPoll };

    private static RenewalInfoRecord Keep(RenewalInfoRecord? previous)
        => (previous ?? new RenewalInfoRecord { NextPoll = default }) with { Failures = 0 };

    private static TimeSpan Clamp(TimeSpan asked) => asked < ShortestPoll ? ShortestPoll : asked > LongestPoll ? LongestPoll : asked;
}

/// <summary>The authority's advice for one certificate (RFC 9773), the instant we chose in it, and when to ask again. Stored.</summary>
internal sealed record RenewalInfoRecord
{
    /// <summary>The certificate that the advice is about: advice about one is none about its successor.</summary>
    public string? SerialNumber { get; init; }

    public DateTimeOffset? WindowStart { get; init; }

    public DateTimeOffset? WindowEnd { get; init; }

    /// <summary>A uniformly random instant of the window, kept until the window moves.</summary>
    public DateTimeOffset? ChosenInstant { get; init; }

    public required DateTimeOffset NextPoll { get; init; }

    /// <summary>Polls that failed in a row.</summary>
    public int Failures { get; init; }

    public Uri? ExplanationUrl { get; init; }
}
