using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>The authority ended the order or one of its authorizations: the names were not validated, or the request was refused.</summary>
internal sealed class OrderFailedException(string message, AcmeProblem? problem, string? challengeType = null) : Exception(QuotedText.Of(message))
{
    /// <summary>The authority's reason, where it gave one.</summary>
    public AcmeProblem? Problem { get; } = problem;

    /// <summary>The type of the challenge that failed, if one did.</summary>
    public string? ChallengeType { get; } = challengeType;

    /// <summary>Whether that challenge was for an IP address.</summary>
    public bool IsAddress { get; init; }

    /// <summary>Whether it failed before this attempt: what began it did not live to see that.</summary>
    public bool LeftBehind { get; init; }
}
