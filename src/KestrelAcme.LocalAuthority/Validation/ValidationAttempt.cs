namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>One validation that came to an end. Immutable.</summary>
/// <param name="Identifier">The name (without <c>*.</c>) or address.</param>
/// <param name="Type">The challenge type.</param>
/// <param name="Time">When it ended, by the authority's clock.</param>
/// <param name="Problem">Why it failed, in words; null when it succeeded.</param>
public sealed record ValidationAttempt(string Identifier, string Type, DateTimeOffset Time, string? Problem);
