
namespace KestrelAcme.Certificates.Model;

/// <summary>The authority's advice for one certificate (RFC 9773), the instant we chose in it, and when to ask again. Stored.</summary>
internal sealed record RenewalInfoRecord
{
    /// <summary>The certificate that the advice is about: advice about one is none about its successor.</summary>
    public string? SerialNumber { get; init; }

    public DateTimeOffset? WindowStart { get; init; }

    public DateTimeOffset? WindowEnd { get; init; }

    /// <summary>A uniformly random instant of the window, kept until the window moves.</summary>
    public DateTimeOffset? ChosenInstant { get; init; }

    public required DateTimeOffset NextPoll { get; init; }

    /// <summary>Polls that failed in a row.</summary>
    public int Failures { get; init; }

    public Uri? ExplanationUrl { get; init; }
}
