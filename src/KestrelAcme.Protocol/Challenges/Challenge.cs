using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Challenges;

/// <summary>A challenge: one way to prove control of an identifier (RFC 8555 section 7.1.5), as of the time it was read.</summary>
public sealed record Challenge
{
    /// <summary>The URL, which identifies the challenge.</summary>
    public required Uri Url { get; init; }

    /// <summary>The type: one of <see cref="AcmeChallengeTypes"/>, or another.</summary>
    public required string Type { get; init; }

    /// <summary>The status.</summary>
    public ChallengeStatus Status { get; init; }

    /// <summary>
    /// The token; <see langword="null"/> if the type has none, or if it has characters that RFC 8555 section 8.1 does
    /// not allow.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Why the challenge failed.</summary>
    public AcmeProblem? Error { get; init; }

    /// <summary>When the server validated the challenge.</summary>
    public DateTimeOffset? Validated { get; init; }

    /// <summary>How long the server asks to wait before the next poll (Retry-After).</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Members that RFC 8555 does not define, for drafts.</summary>
    public IReadOnlyDictionary<string, JsonElement> OtherMembers { get; init; } = new Dictionary<string, JsonElement>();

    internal static Challenge FromResponse(AcmeResponse response) =>
        FromDocument(response.Read(AcmeJson.Default.ChallengeDocument), response)
            ?? throw response.Malformed("the response is not a challenge");

    internal static Challenge? FromDocument(ChallengeDocument? document, AcmeResponse response)
    {
        // The challenge of a draft may have any shape: without a type and a URL it is ignored, which is no reason to fail.
        if (document?.Type is not { Length: > 0 } type || string.IsNullOrEmpty(document.Url))
        {
            return null;
        }

        return new Challenge
        {
            Url = response.Link(document.Url, "url")!,
            Type = QuotedText.Words(type, 64),
            Status = StatusOf(document.Status),
            Token = ChallengeToken.IsValid(document.Token) ? document.Token : null,
            Error = AcmeProblem.FromDocument(document.Error),
            Validated = WireTime.Parse(document.Validated),
            RetryAfter = response.RetryAfter,
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

/// <summary>The status of a challenge (RFC 8555 section 7.1.6).</summary>
public enum ChallengeStatus
{
    /// <summary>A status unknown to this library.</summary>
    Unknown,

    /// <summary>The server waits for the client's response.</summary>
    Pending,

    /// <summary>The server is validating the challenge.</summary>
    Processing,

    /// <summary>The challenge was validated.</summary>
    Valid,

    /// <summary>Validation failed.</summary>
    Invalid,
}

/// <summary>Checks tokens (RFC 8555 section 8.1). They become part of paths and records, so no other characters are allowed.</summary>
internal static class ChallengeToken
{
    private const int MaxLength = 512;

    public static bool IsValid([NotNullWhen(true)] string? token) => token is { Length: > 0 and <= MaxLength }
        && Base64UrlAlphabet.IsMatch(token);
}

/// <summary>The JSON of a challenge (RFC 8555 section 7.1.5).</summary>
internal sealed class ChallengeDocument
{
    public string? Type { get; init; }

    public string? Url { get; init; }

    public string? Status { get; init; }

    public string? Token { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Validated { get; init; }

    public ProblemDocument? Error { get; init; }

    // Not init: the generator would make it a constructor parameter, which is not allowed for extension data.
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}

/// <summary>The challenge types known to this library. Servers may offer others, which are kept as they are.</summary>
public static class AcmeChallengeTypes
{
    /// <summary>RFC 8555 section 8.3: a file served over HTTP on port 80.</summary>
    public const string Http01 = "http-01";

    /// <summary>RFC 8555 section 8.4: a TXT record.</summary>
    public const string Dns01 = "dns-01";

    /// <summary>RFC 8737: a certificate served over TLS on port 443.</summary>
    public const string TlsAlpn01 = "tls-alpn-01";

    /// <summary>dns-01 under a label specific to the account (draft).</summary>
    public const string DnsAccount01 = "dns-account-01";

    /// <summary>A persistent TXT record (draft). Has no token.</summary>
    public const string DnsPersist01 = "dns-persist-01";
}
