namespace KestrelAcme.Certificates.Model;

/// <summary>
/// An authority refuses the account, or a profile, whatever the names: one failure for all of them. Stored, so that neither a crash loop nor ten instances each find it out anew.
/// </summary>
internal sealed record AccountBlock
{
    /// <summary>The profile that is refused; empty for orders that name none; <see langword="null"/> if the account is refused as a whole.</summary>
    public string? Profile { get; init; }

    /// <summary>The problem's type in the authority's words.</summary>
    public string? ProblemType { get; init; }

    /// <summary>The authority's words, and the way out.</summary>
    public required string Message { get; init; }

    /// <summary>When it was refused last.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When it is tried again.</summary>
    public required DateTimeOffset NextAttempt { get; init; }

    /// <summary>How often in a row it was refused.</summary>
    public int Refusals { get; init; } = 1;

    /// <summary>Whether it was an order that was refused: then only an order shows that it no longer is.</summary>
    public bool AtOrder { get; init; }

    /// <summary>A mark of the authority's settings: under others it does not count.</summary>
    public required string Settings { get; init; }

    /// <summary>The same as a failure of a certificate that waits for it.</summary>
    public CertificateFailure ToFailure(int count) => new()
    {
        Count = count,
        ProblemType = ProblemType,
        Message = Message,
        At = At,
        NextAttempt = NextAttempt,
        Cause = FailureCause.Operator,
    };
}
