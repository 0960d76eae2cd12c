using System.Text.Json.Serialization;

namespace KestrelAcme.LocalAuthority.RenewalInformation;

/// <summary>The JSON of renewal information (RFC 9773 section 4.2).</summary>
internal sealed record RenewalInformationResource
{
    public required SuggestedWindowResource SuggestedWindow { get; init; }

    [JsonPropertyName("explanationURL")]
    public string? ExplanationUrl { get; init; }
}

/// <summary>The JSON of a suggested window (RFC 9773 section 4.2).</summary>
internal sealed record SuggestedWindowResource(string Start, string End);
