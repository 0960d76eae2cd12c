namespace KestrelAcme.Certificates.Model;

/// <summary>Creates the public status of a managed certificate.</summary>
internal static class CertificateStatuses
{
    private const string PersistType = "dns-persist-01";

    public static CertificateStatus Create(ManagedCertificate certificate, bool orders, DateTimeOffset now)
    {
        var current = certificate.Current;
        var state = certificate.State;
        var order = certificate.Decide(renewalInfoOffered: false, now);
        var blocked = certificate.Blocked?.Invoke();
        return new CertificateStatus
        {
            Id = certificate.Id,
            DomainNames = [.. certificate.Specification.Identifiers.Select(i => i.Value)],
            State = blocked is null ? state.State : CertificateState.Blocked,
            SerialNumber = current?.SerialNumber,
            Issuer = current?.Issuer,
            NotBefore = current?.NotBefore,
            NotAfter = current?.NotAfter,
            DirectoryUrl = current?.Record.Metadata.DirectoryUrl is { } url && url != CertificateMetadata.UnknownUrl ? url : null,
            NextOrder = !orders || order.Action != CertificateAction.Order ? null
                : blocked?.NextAttempt > order.DueAt ? blocked.NextAttempt
                : order.DueAt,
            HeldBackUntil = orders ? order.HeldUntil : null,
            PersistRecordsUntil = certificate.Specification.ChallengeTypes.Contains(PersistType) ? state.RecordsEnd : null,
            RenewalExplanation = state.RenewalInfo?.ExplanationUrl,
            Revoked = current is not null && state.Revocation?.SerialNumber == current.SerialNumber,
            Failure = (blocked?.ToFailure(state.Failure?.Count ?? 0) ?? state.Failure)?.ToPublic(),
            OrderUrl = state.StoredOrder?.OrderUrl,
        };
    }
}
