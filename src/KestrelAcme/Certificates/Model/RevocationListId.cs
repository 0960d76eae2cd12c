namespace KestrelAcme.Certificates.Model;

/// <summary>A revocation list as it is asked for: one address may be named by the certificates of two issuers, and what the one signed says nothing of those of the other.</summary>
/// <param name="Url">Where it is.</param>
/// <param name="IssuerKey">The SHA-256 of the issuer's public key, in hexadecimal.</param>
internal sealed record RevocationListId(Uri Url, string IssuerKey);
