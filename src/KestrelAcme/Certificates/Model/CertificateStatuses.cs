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
            State = StateOf(certificate),
            SerialNumber = current?.SerialNumber,
            Issuer = current?.Issuer,
            NotBefore = current?.NotBefore,
            NotAfter = current?.NotAfter,
            DirectoryUrl = current?.Record.Metadata.DirectoryUrl is { } url && url != CertificateMetadata.UnknownUrl ? url : null,
            AccountUrl = current?.Record.Metadata.AccountUrl is { } account && account != CertificateMetadata.UnknownUrl ? account : null,
            NextOrder = orders && !certificate.IsLeftToExpire(now) ? NextOrder(order, blocked) : null,
            HeldBackUntil = orders ? order.HeldUntil : null,
            PersistRecordsUntil = certificate.Specification.ChallengeTypes.Contains(PersistType) ? state.RecordsEnd : null,
            RenewalExplanation = state.RenewalInfo?.ExplanationUrl,
            Revoked = current is not null && state.Revocation?.SerialNumber == current.SerialNumber,
            Failure = (blocked?.ToFailure(state.Failure?.Count ?? 0) ?? state.Failure)?.ToPublic(certificate.Hints),
            OrderUrl = state.StoredOrder?.OrderUrl,
        };
    }

    /// <summary>Returns the state, as the status shows it.</summary>
    public static CertificateState StateOf(ManagedCertificate certificate)
        => certificate.Blocked?.Invoke() is null ? certificate.State.State : CertificateState.Blocked;

    /// <summary>Returns the planned time of the next order; <see langword="null"/> if none is planned.</summary>
    public static DateTimeOffset? NextOrder(ManagedCertificate certificate, DateTimeOffset now)
        => certificate.IsLeftToExpire(now) ? null
            : NextOrder(certificate.Decide(renewalInfoOffered: false, now), certificate.Blocked?.Invoke());

    private static DateTimeOffset? NextOrder(RenewalDecision order, AccountBlock? blocked)
        => order.Action != CertificateAction.Order ? null
            : blocked?.NextAttempt > order.DueAt ? blocked.NextAttempt
            : order.DueAt;
}
