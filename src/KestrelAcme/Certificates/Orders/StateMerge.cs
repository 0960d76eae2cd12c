using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Brings together what the store holds of a state with what this instance knows and could not store. Pure.</summary>
internal static class StateMerge
{
    /// <param name="stored">What the store holds.</param>
    /// <param name="known">What this instance knows.</param>
    /// <param name="served">The serial number of the certificate that this instance serves.</param>
    public static CertificateStateRecord Merge(CertificateStateRecord stored, CertificateStateRecord known, string? served)
        => WithRevocation(WithFailure(stored, known), known, served);

    // A failure that could not be stored must not be forgotten for an older one that was.
    private static CertificateStateRecord WithFailure(CertificateStateRecord stored, CertificateStateRecord known)
        => known.Failure is { } failure && failure.At > (stored.Failure?.At ?? stored.Since ?? DateTimeOffset.MinValue)
            ? stored with { Failure = failure, FailedValidations = known.FailedValidations ?? stored.FailedValidations, StoredOrder = known.StoredOrder is { IsCounted: true } counted && counted.At == stored.StoredOrder?.At ? StoredOrders.Counted(stored.StoredOrder) : stored.StoredOrder }
            : stored;

    // Nor must a revocation: the certificate would be served on, and the key of an order that was left behind may be the one that others know.
    private static CertificateStateRecord WithRevocation(CertificateStateRecord stored, CertificateStateRecord known, string? served)
        => known.Revocation is { } revocation && revocation.SerialNumber == served && stored.Revocation?.SerialNumber != served
            ? stored with { Revocation = revocation, StoredOrder = revocation.Reason == RevocationReason.KeyCompromise ? null : stored.StoredOrder }
            : stored;
}
