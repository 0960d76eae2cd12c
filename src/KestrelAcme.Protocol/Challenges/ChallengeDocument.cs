using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Challenges;

/// <summary>A challenge as it is on the wire (RFC 8555 section 7.1.5).</summary>
internal sealed class ChallengeDocument
{
    public string? Type { get; init; }

    public string? Url { get; init; }

    public string? Status { get; init; }

    public string? Token { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Validated { get; init; }

    public ProblemDocument? Error { get; init; }

    // Not init: the generator would make it a constructor parameter, which extension data must not be.
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Other { get; set; }
}
