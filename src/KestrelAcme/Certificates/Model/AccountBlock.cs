namespace KestrelAcme.Certificates.Model;

/// <summary>
/// A CA refuses the account or a profile, whatever the names are: one failure for all of them. Stored, so that neither a crash loop nor ten
/// instances find out again and again.
/// </summary>
internal sealed record AccountBlock
{
    /// <summary>
    /// The refused profile; empty for orders without a profile; <see langword="null"/> if the account is refused as a whole.
    /// </summary>
    public string? Profile { get; init; }

    /// <summary>The type of the problem (RFC 8555 section 6.7).</summary>
    public string? ProblemType { get; init; }

    /// <summary>The CA's words, and the fix.</summary>
    public required string Message { get; init; }

    /// <summary>The time of the last refusal.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The time of the next attempt.</summary>
    public required DateTimeOffset NextAttempt { get; init; }

    /// <summary>The number of refusals in a row.</summary>
    public int Refusals { get; init; } = 1;

    /// <summary>Whether an order was refused. Then only another order can show that the refusal is over.</summary>
    public bool AtOrder { get; init; }

    /// <summary>A fingerprint of the CA's settings. With other settings, the block does not count.</summary>
    public required string Settings { get; init; }

    /// <summary>Returns the failure that waiting certificates show.</summary>
    public FailureRecord ToFailure(int count) => new()
    {
        Count = count,
        ProblemType = ProblemType,
        Message = Message,
        At = At,
        NextAttempt = NextAttempt,
        Cause = FailureCause.Operator,
    };
}

/// <summary>The time until which a CA accepts no orders of the account. Stored.</summary>
internal sealed record AccountHold(DateTimeOffset Until)
{
    /// <summary>Whether the hold is a guess, which holds back orders for new names only.</summary>
    public bool NewNamesOnly { get; init; }

    public bool Holds(DateTimeOffset now) => ClockGuard.IsPlausibleWait(Until, now);
}
