using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Model;

/// <summary>The revocation of a certificate. Stored.</summary>
/// <param name="SerialNumber">The certificate's serial number, in hexadecimal.</param>
/// <param name="At">The time of the revocation, or the time at which KestrelAcme noticed it.</param>
/// <param name="OnPurpose">Whether the application revoked it for a reason that needs no new certificate.</param>
/// <param name="Reason">The reason, if it is known (RFC 5280 section 5.3.1).</param>
internal sealed record RevocationRecord(string SerialNumber, DateTimeOffset At, bool OnPurpose, RevocationReason? Reason);

/// <summary>Whether a certificate is revoked, and what follows.</summary>
internal enum RevocationState
{
    /// <summary>It is not known to be revoked.</summary>
    None,

    /// <summary>It is revoked and must be replaced at once.</summary>
    Replace,

    /// <summary>The application revoked it on purpose. It is renewed when its time comes, and renewal information is ignored.</summary>
    OnPurpose,
}

/// <summary>
/// Identifies a revocation list by its URL and issuer. Certificates of two issuers may name the same URL, and a list is valid only for the
/// certificates of its issuer.
/// </summary>
/// <param name="Url">The URL of the list.</param>
/// <param name="IssuerKey">The SHA-256 of the issuer's public key, in hexadecimal.</param>
internal sealed record RevocationListId(Uri Url, string IssuerKey);
