using KestrelAcme.Certificates.Renewal;

namespace KestrelAcme.Certificates;

/// <summary>Makes the public status of a managed certificate.</summary>
internal static class CertificateStatuses
{
    public static CertificateStatus Create(ManagedCertificate certificate, bool orders, DateTimeOffset now)
    {
        var current = certificate.Current;
        var state = certificate.State;
        var order = certificate.Decide(renewalInfoOffered: false, now);
        return new CertificateStatus
        {
            Id = certificate.Id,
            DomainNames = [.. certificate.Specification.Identifiers.Select(i => i.Value)],
            State = state.State,
            SerialNumber = current?.SerialNumber,
            Issuer = current?.Issuer,
            NotBefore = current?.NotBefore,
            NotAfter = current?.NotAfter,
            DirectoryUrl = current?.Record.Metadata.DirectoryUrl,
            NextOrder = orders && order.Action == CertificateAction.Order ? order.DueAt : null,
            HeldBackUntil = orders ? order.HeldUntil : null,
            RenewalExplanation = state.RenewalInfo?.ExplanationUrl,
            Revoked = current is not null && state.Revocation?.SerialNumber == current.SerialNumber,
            Failure = state.Failure,
            PendingOrder = state.PendingOrder?.OrderUrl,
        };
    }
}
