namespace KestrelAcme.Certificates.Model;

/// <summary>Decides what to store after a request for renewal information, whether it succeeded or not. Pure.</summary>
internal static class RenewalInfoPolicy
{
    private static readonly TimeSpan ShortestPoll = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromDays(1);
    private static readonly TimeSpan DefaultPoll = TimeSpan.FromHours(6);

    // A suggestion from the time of an outage should be seen soon after it. How often a failing CA is asked is limited for all certificates
    // together.
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromHours(1);

    /// <summary>Stores a valid response. The chosen time stays as long as the window stays, and is chosen again if it moves.</summary>
    public static RenewalInfoRecord Accept(
        RenewalInfoRecord? previous, DateTimeOffset start, DateTimeOffset end, Uri? explanation, TimeSpan? retryAfter, DateTimeOffset now,
        double jitter)
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

    /// <summary>Keeps the previous suggestion after an invalid response.</summary>
    public static RenewalInfoRecord Reject(RenewalInfoRecord? previous, DateTimeOffset now)
        => Keep(previous) with { NextPoll = now + DefaultPoll };

    /// <summary>
    /// Keeps the previous suggestion if the request failed, and retries after 1 minute, doubling up to an hour, or after the wait that the
    /// CA asked for.
    /// </summary>
    public static RenewalInfoRecord Fail(RenewalInfoRecord? previous, TimeSpan? retryAfter, DateTimeOffset now)
    {
        var failures = Math.Min((previous?.Failures ?? 0) + 1, 30);
        var backOff = TimeSpan.FromMinutes(Math.Min(Math.Pow(2, failures - 1), LongestBackOff.TotalMinutes));
        return Keep(previous) with { Failures = failures, NextPoll = now + (retryAfter is { } asked ? Clamp(asked) : backOff) };
    }

    /// <summary>The CA offers no renewal information. It is asked again in a day, because it may begin to.</summary>
    public static RenewalInfoRecord NotOffered(DateTimeOffset now) => new() { NextPoll = now + LongestPoll };

    private static RenewalInfoRecord Keep(RenewalInfoRecord? previous)
        => (previous ?? new RenewalInfoRecord { NextPoll = default }) with { Failures = 0 };

    private static TimeSpan Clamp(TimeSpan asked) => asked < ShortestPoll ? ShortestPoll : asked > LongestPoll ? LongestPoll : asked;
}

/// <summary>
/// The suggestion of the CA for one certificate (RFC 9773), the time that KestrelAcme chose in the window, and the time of the next
/// request. Stored.
/// </summary>
internal sealed record RenewalInfoRecord
{
    /// <summary>The certificate that the suggestion is about. It does not apply to the next one.</summary>
    public string? SerialNumber { get; init; }

    public DateTimeOffset? WindowStart { get; init; }

    public DateTimeOffset? WindowEnd { get; init; }

    /// <summary>A random time in the window, kept until the window moves.</summary>
    public DateTimeOffset? ChosenInstant { get; init; }

    public required DateTimeOffset NextPoll { get; init; }

    /// <summary>The number of requests that failed in a row.</summary>
    public int Failures { get; init; }

    public Uri? ExplanationUrl { get; init; }
}
