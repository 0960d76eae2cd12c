using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Challenges;

/// <summary>One way to prove control of a name (RFC 8555 section 7.1.5), as it was when it was read.</summary>
public sealed record Challenge
{
    /// <summary>The URL; the identity of the challenge.</summary>
    public required Uri Url { get; init; }

    /// <summary>The type, one of <see cref="AcmeChallengeTypes"/> or another.</summary>
    public required string Type { get; init; }

    /// <summary>The status.</summary>
    public ChallengeStatus Status { get; init; }

    /// <summary>The token; <see langword="null"/> where the type has none, or where it is not of the alphabet that RFC 8555 section 8.1 allows.</summary>
    public string? Token { get; init; }

    /// <summary>Why the challenge failed.</summary>
    public AcmeProblem? Error { get; init; }

    /// <summary>When it was met.</summary>
    public DateTimeOffset? Validated { get; init; }

    /// <summary>How long the server asks to wait before the next look.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Members that RFC 8555 does not know, for drafts.</summary>
    public IReadOnlyDictionary<string, JsonElement> OtherMembers { get; init; } = new Dictionary<string, JsonElement>();

    internal static Challenge? FromDocument(ChallengeDocument? document, AcmeResponse answer)
    {
        // A draft's challenge may look like anything: without a type and a URL it is no challenge for us, and no reason to fail.
        if (document?.Type is not { Length: > 0 } type || string.IsNullOrEmpty(document.Url))
        {
            return null;
        }

        return new Challenge
        {
            Url = answer.Link(document.Url, "url")!,
            Type = QuotedText.Words(type, 64),
            Status = StatusOf(document.Status),
            Token = ChallengeToken.IsValid(document.Token) ? document.Token : null,
            Error = AcmeProblem.FromDocument(document.Error),
            Validated = WireTime.Parse(document.Validated),
            RetryAfter = answer.RetryAfter,
            OtherMembers = document.Other ?? new Dictionary<string, JsonElement>(),
        };
    }

    private static ChallengeStatus StatusOf(string? status) => status switch
    {
        "pending" => ChallengeStatus.Pending,
        "processing" => ChallengeStatus.Processing,
        "valid" => ChallengeStatus.Valid,
        "invalid" => ChallengeStatus.Invalid,
        _ => ChallengeStatus.Unknown,
    };
}
