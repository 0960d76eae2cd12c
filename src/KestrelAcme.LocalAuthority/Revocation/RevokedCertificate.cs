using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>A revoked certificate as the CRL lists it. Immutable.</summary>
/// <param name="SerialNumber">The serial number in upper-case hex.</param>
/// <param name="RevokedAt">When it was revoked, by the authority's clock.</param>
/// <param name="Reason">Why (RFC 5280 section 5.3.1).</param>
public sealed record RevokedCertificate(string SerialNumber, DateTimeOffset RevokedAt, X509RevocationReason Reason);
