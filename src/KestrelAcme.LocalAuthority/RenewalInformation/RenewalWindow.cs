namespace KestrelAcme.LocalAuthority.RenewalInformation;

/// <summary>A suggested window (RFC 9773 section 4.2). Immutable. It is served as it is, also when <paramref name="End"/> is not after <paramref name="Start"/>.</summary>
/// <param name="Start">Its first instant.</param>
/// <param name="End">Its last instant.</param>
public sealed record RenewalWindow(DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>A page that says why; null for none.</summary>
    public Uri? ExplanationUrl { get; init; }
}
