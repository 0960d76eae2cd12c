using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Model;

/// <summary>What is known of the revocation of one certificate. Stored.</summary>
/// <param name="SerialNumber">The certificate's serial number, in hexadecimal.</param>
/// <param name="At">When it was revoked, or when we learned of it.</param>
/// <param name="OnPurpose">Whether we revoked it ourselves and want no successor for that.</param>
/// <param name="Reason">The reason, where it is known (RFC 5280 section 5.3.1).</param>
internal sealed record RevocationRecord(string SerialNumber, DateTimeOffset At, bool OnPurpose, RevocationReason? Reason);
