using System.Numerics;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>What matters of a certificate revocation list (RFC 5280 section 5): whether it is genuine was checked before.</summary>
/// <param name="Number">The CRL number; it never goes down.</param>
/// <param name="ThisUpdate">When it was issued.</param>
/// <param name="Revoked">The serial numbers that were asked about and are on it, in hexadecimal, with the time and the reason.</param>
internal sealed record RevocationList(BigInteger? Number, DateTimeOffset ThisUpdate, IReadOnlyList<RevokedEntry> Revoked);
