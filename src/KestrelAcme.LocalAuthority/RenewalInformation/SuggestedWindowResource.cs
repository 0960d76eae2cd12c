namespace KestrelAcme.LocalAuthority.RenewalInformation;

/// <summary>RFC 9773 section 4.2.</summary>
internal sealed record SuggestedWindowResource(string Start, string End);
