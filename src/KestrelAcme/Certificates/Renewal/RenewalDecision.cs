namespace KestrelAcme.Certificates.Renewal;

/// <summary>The next action for a certificate and its time; a time in the past means now.</summary>
internal readonly record struct RenewalDecision(CertificateAction Action, DateTimeOffset DueAt, RenewalReason Reason);
