using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Challenges;

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
