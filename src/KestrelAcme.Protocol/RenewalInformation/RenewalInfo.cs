using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.RenewalInformation;

/// <summary>When the authority would like a certificate to be renewed (RFC 9773 section 4.2).</summary>
public sealed record RenewalInfo
{
    /// <summary>The start of the suggested window.</summary>
    public required DateTimeOffset WindowStart { get; init; }

    /// <summary>The end of the suggested window; always after the start.</summary>
    public required DateTimeOffset WindowEnd { get; init; }

    /// <summary>A page that says why the window is where it is; only ever an https link.</summary>
    public Uri? ExplanationUrl { get; init; }

    /// <summary>When to ask again, counted from the answer and as the server says it: clamp it (RFC 9773 section 4.3.2: a minute to a day).</summary>
    public TimeSpan? RetryAfter { get; init; }

    internal static RenewalInfo FromResponse(AcmeResponse answer)
    {
        var document = answer.Read(AcmeJson.Default.RenewalInfoDocument);
        if (WireTime.Parse(document.SuggestedWindow?.Start) is not { } start || WireTime.Parse(document.SuggestedWindow?.End) is not { } end)
        {
            throw answer.Malformed("the renewal information has no suggested window");
        }

        if (end <= start)
        {
            throw answer.Malformed("the suggested window ends before it starts");
        }

        return new RenewalInfo
        {
            WindowStart = start,
            WindowEnd = end,
            ExplanationUrl = Uri.TryCreate(document.ExplanationUrl, UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps ? page : null,
            RetryAfter = answer.RetryAfter,
        };
    }
}
