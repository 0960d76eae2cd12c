namespace KestrelAcme.Certificates;

/// <summary>An event in the life of a managed certificate, as returned by <see cref="ICertificateManager.WatchAsync"/>.</summary>
/// <param name="Kind">The kind of event.</param>
/// <param name="CertificateId">The <see cref="CertificateStatus.Id"/> of the certificate.</param>
/// <param name="At">The time of the event.</param>
/// <param name="Message">A sentence that describes the event, for logs and consoles. It contains no secrets.</param>
/// <param name="Status">The status of the certificate after the event.</param>
public sealed record CertificateEvent(
    CertificateEventKind Kind, string CertificateId, DateTimeOffset At, string Message, CertificateStatus Status);
