using System.Text.Json.Serialization;

namespace KestrelAcme.Protocol.RenewalInformation;

/// <summary>Renewal information as it is on the wire (RFC 9773 section 4.2).</summary>
internal sealed class RenewalInfoDocument
{
    public SuggestedWindowDocument? SuggestedWindow { get; init; }

    [JsonPropertyName("explanationURL")]
    public string? ExplanationUrl { get; init; }
}
