namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>The JWS algorithms that the authority reads (RFC 7518).</summary>
internal static class SignatureAlgorithms
{
    public const string ES256 = "ES256";
    public const string ES384 = "ES384";
    public const string RS256 = "RS256";
    public const string HS256 = "HS256";

    /// <summary>Listed in a <c>badSignatureAlgorithm</c> problem.</summary>
    public static IReadOnlyList<string> ForAccounts { get; } = [ES256, ES384, RS256];
}
