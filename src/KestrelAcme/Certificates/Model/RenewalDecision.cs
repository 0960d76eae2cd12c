
namespace KestrelAcme.Certificates.Model;

/// <summary>The next action for a certificate and its time; a time in the past means now.</summary>
internal readonly record struct RenewalDecision(CertificateAction Action, DateTimeOffset DueAt, RenewalReason Reason)
{
    /// <summary>Until when a renewal that is due is held back, since others came right before; <see langword="null"/> when it is not.</summary>
    public DateTimeOffset? HeldUntil { get; init; }
}
