namespace KestrelAcme.Certificates;

/// <summary>Something that happened to a managed certificate.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="CertificateId">To which certificate.</param>
/// <param name="At">When.</param>
/// <param name="Message">The same in words.</param>
/// <param name="Status">How the certificate stands after it.</param>
public sealed record CertificateEvent(CertificateEventKind Kind, string CertificateId, DateTimeOffset At, string Message, CertificateStatus Status);
