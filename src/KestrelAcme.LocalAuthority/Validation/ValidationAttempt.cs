namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>A completed validation. Immutable.</summary>
/// <param name="Identifier">The name (without <c>*.</c>) or address.</param>
/// <param name="Type">The challenge type.</param>
/// <param name="Time">When it was completed, by the CA's clock.</param>
/// <param name="Problem">Why it failed; null if it succeeded.</param>
public sealed record ValidationAttempt(string Identifier, string Type, DateTimeOffset Time, string? Problem);
