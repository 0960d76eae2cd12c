using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>A certificate on a revocation list.</summary>
internal sealed record RevokedEntry(string SerialNumber, DateTimeOffset At, RevocationReason? Reason);
