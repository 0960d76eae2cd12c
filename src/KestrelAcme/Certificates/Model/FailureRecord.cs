using KestrelAcme.Challenges;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// The stored form of a <see cref="CertificateFailure"/>, with what only KestrelAcme needs. Its JSON names are those of existing stores.
/// </summary>
internal sealed record FailureRecord
{
    /// <summary>The number of attempts in a row that failed because of the name or because an operator must act.</summary>
    public int Count { get; init; }

    /// <summary>The type of the problem that the CA reported; <see langword="null"/> if it reported none.</summary>
    public string? ProblemType { get; init; }

    /// <summary>What went wrong and how to fix it.</summary>
    public required string Message { get; init; }

    /// <summary>The time of the failure.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The earliest time of the next attempt.</summary>
    public required DateTimeOffset NextAttempt { get; init; }

    /// <summary>The number of attempts since the last success that failed because of this machine.</summary>
    public int LocalCount { get; init; }

    /// <summary>Whether the CA failed for all names.</summary>
    public bool WasOutage { get; init; }

    /// <summary>
    /// A hash of what DNS showed when the attempt failed, if an operator can fix the cause in DNS; <see langword="null"/> if DNS was not
    /// checked.
    /// </summary>
    public string? Seen { get; init; }

    /// <summary>
    /// What is known of the addresses of the names, if an attempt failed because of where they lead; <see langword="null"/> otherwise.
    /// </summary>
    public SeenAddresses? Addresses { get; init; }

    /// <summary>A fingerprint of the settings under which the attempt failed. If they change, KestrelAcme tries again at once.</summary>
    public string? Settings { get; init; }

    /// <summary>The DNS records that an operator has to create before another attempt can succeed.</summary>
    /// <value>Empty if no record would help.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init => field = value is { Count: > 0 } ? value : []; } = [];

    /// <summary>The cause of the failure.</summary>
    public required FailureCause Cause { get; init; }

    /// <summary>Whether changed addresses can be the fix.</summary>
    public bool IsOfAddresses => Cause == FailureCause.Name && Addresses is not null;

    /// <summary>Whether DNS shows when the cause is fixed.</summary>
    public bool IsVisibleInDns => Cause == FailureCause.Operator && (RequiredRecords.Count > 0 || ProblemType == AcmeProblemTypes.Caa);

    /// <summary>Returns what the application sees.</summary>
    /// <param name="hints">What the doctor found; ignored if it belongs to another failure.</param>
    public CertificateFailure ToPublic(FailureHints? hints = null) => new()
    {
        Count = Count,
        ProblemType = ProblemType,
        Message = hints?.FailedAt == At ? QuotedText.Of($"{Message} Seen from here: {hints.Text}") : Message,
        At = At,
        NextAttempt = NextAttempt,
        RequiredRecords = RequiredRecords,
        Cause = Cause,
    };
}

/// <summary>What the doctor found after a failure. Not stored: the next process looks for itself.</summary>
/// <param name="FailedAt">The time of the failure.</param>
/// <param name="Text">The findings and their fixes.</param>
internal sealed record FailureHints(DateTimeOffset FailedAt, string Text);

/// <summary>What DNS showed of the addresses of a certificate's names since validations began to fail because of them.</summary>
internal sealed record SeenAddresses
{
    /// <summary>A hash of each set of addresses, with its name.</summary>
    public IReadOnlyList<string> Sets { get; init; } = [];

    /// <summary>
    /// Whether the first check after the last failure is still to come. What it shows is what the attempt failed with.
    /// </summary>
    public bool AwaitsLook { get; init; } = true;

    /// <summary>When attempts were brought forward, within the last day.</summary>
    public IReadOnlyList<DateTimeOffset> BroughtForward { get; init; } = [];
}
