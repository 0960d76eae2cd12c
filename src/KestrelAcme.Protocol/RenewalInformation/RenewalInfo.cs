using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.RenewalInformation;

/// <summary>When the CA suggests to renew a certificate (RFC 9773 section 4.2).</summary>
public sealed record RenewalInfo
{
    /// <summary>The start of the suggested window.</summary>
    public required DateTimeOffset WindowStart { get; init; }

    /// <summary>The end of the suggested window; always after the start.</summary>
    public required DateTimeOffset WindowEnd { get; init; }

    /// <summary>A page that explains the suggested window. Always an HTTPS URL.</summary>
    public Uri? ExplanationUrl { get; init; }

    /// <summary>
    /// When to fetch the information again, counted from the response. This is the server's value: clamp it (RFC 9773
    /// section 4.3.2: one minute to one day).
    /// </summary>
    public TimeSpan? RetryAfter { get; init; }

    internal static RenewalInfo FromResponse(AcmeResponse response)
    {
        var document = response.Read(AcmeJson.Default.RenewalInfoDocument);
        if (WireTime.Parse(document.SuggestedWindow?.Start) is not { } start
            || WireTime.Parse(document.SuggestedWindow?.End) is not { } end)
        {
            throw response.Malformed("the renewal information has no suggested window");
        }

        if (end <= start)
        {
            throw response.Malformed("the suggested window ends before it starts");
        }

        return new RenewalInfo
        {
            WindowStart = start,
            WindowEnd = end,
            ExplanationUrl =
                Uri.TryCreate(document.ExplanationUrl, UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps ? page : null,
            RetryAfter = response.RetryAfter,
        };
    }
}

/// <summary>The JSON of renewal information (RFC 9773 section 4.2).</summary>
internal sealed class RenewalInfoDocument
{
    public SuggestedWindowDocument? SuggestedWindow { get; init; }

    [JsonPropertyName("explanationURL")]
    public string? ExplanationUrl { get; init; }
}

/// <summary>The JSON of a suggested window.</summary>
internal sealed class SuggestedWindowDocument
{
    public string? Start { get; init; }

    public string? End { get; init; }
}
