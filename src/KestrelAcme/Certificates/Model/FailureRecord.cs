using System.Text.Json.Serialization;
using KestrelAcme.Challenges;
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
    // The name in existing stores.
    [JsonPropertyName("nextTry")]
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

    /// <summary>A fingerprint of the settings under which the attempt failed. If they change, KestrelAcme tries again at once.</summary>
    public string? Settings { get; init; }

    /// <summary>The DNS records that an operator has to create before another attempt can succeed.</summary>
    /// <value>Empty if no record would help.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init => field = value is { Count: > 0 } ? value : []; } = [];

    /// <summary>The cause of the failure.</summary>
    public required FailureCause Cause { get; init; }

    /// <summary>Whether DNS shows when the cause is fixed.</summary>
    [JsonIgnore]
    public bool IsVisibleInDns => Cause == FailureCause.Operator && (RequiredRecords.Count > 0 || ProblemType == AcmeProblemTypes.Caa);

    /// <summary>Returns what the application sees.</summary>
    public CertificateFailure ToPublic() => new()
    {
        Count = Count,
        ProblemType = ProblemType,
        Message = Message,
        At = At,
        NextAttempt = NextAttempt,
        RequiredRecords = RequiredRecords,
        Cause = Cause,
    };
}
