using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>An entry of the CRL. Immutable.</summary>
/// <param name="SerialNumber">The serial number in upper-case hexadecimal.</param>
/// <param name="RevokedAt">When the certificate was revoked, by the CA's clock.</param>
/// <param name="Reason">The reason (RFC 5280 section 5.3.1).</param>
public sealed record RevokedCertificate(string SerialNumber, DateTimeOffset RevokedAt, X509RevocationReason Reason);
