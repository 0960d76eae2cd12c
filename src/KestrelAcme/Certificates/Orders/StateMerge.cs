using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Merges the stored state with what this instance knows and could not store. Pure.</summary>
internal static class StateMerge
{
    /// <param name="stored">What the store holds.</param>
    /// <param name="known">What this instance knows.</param>
    /// <param name="served">The serial number of the certificate that this instance serves.</param>
    public static CertificateStateRecord Merge(CertificateStateRecord stored, CertificateStateRecord known, string? served)
        => WithRevocation(WithRenewal(WithFailure(WithOrder(stored, known), known), known), known, served);

    // The store was away when the CA responded: without its URL, the order would count as one whose outcome nobody knows, and be placed
    // again.
    private static CertificateStateRecord WithOrder(CertificateStateRecord stored, CertificateStateRecord known)
        => known.StoredOrder is not { OrderUrl: not null } order ? stored
            : stored.StoredOrder is { OrderUrl: null } intent
                && intent.At == order.At && intent.PrivateKey.AsSpan().SequenceEqual(order.PrivateKey)
                ? stored with { StoredOrder = order with { IsCounted = intent.IsCounted } }
            // A state from before the order: the store was emptied, and filled by an instance that knows nothing of the order.
            : stored.StoredOrder is null && stored.Since < order.At && stored.Revocation == known.Revocation
                ? stored with { State = known.State, Since = known.Since, StoredOrder = order }
            : stored;

    // A failure that could not be stored must not be replaced by an older one that was. It counts for the order that it ended, too.
    private static CertificateStateRecord WithFailure(CertificateStateRecord stored, CertificateStateRecord known)
        => known.Failure is { } failure && failure.At > (stored.Failure?.At ?? stored.Since ?? DateTimeOffset.MinValue)
            ? stored with
            {
                Failure = failure,
                FailedValidations = known.FailedValidations ?? stored.FailedValidations,
                StoredOrder = stored.StoredOrder?.At <= failure.At ? StoredOrders.Counted(stored.StoredOrder) : stored.StoredOrder,
            }
            : stored;

    // The same goes for a renewal that the application asked for: it could not be made yet, and is due by nothing else. One that was made
    // since, by any instance, is stored with a later time.
    private static CertificateStateRecord WithRenewal(CertificateStateRecord stored, CertificateStateRecord known)
        => known.State == CertificateState.RenewalDue && !stored.IsUnfinished
            && (known.Since ?? DateTimeOffset.MinValue) >= (stored.Since ?? DateTimeOffset.MinValue)
            ? stored with { State = CertificateState.RenewalDue, Since = known.Since }
            : stored;

    // The same goes for a revocation: the certificate would stay served, and the leftover order may use the compromised key.
    private static CertificateStateRecord WithRevocation(CertificateStateRecord stored, CertificateStateRecord known, string? served)
        => known.Revocation is { } revocation && revocation.SerialNumber == served && stored.Revocation?.SerialNumber != served
            ? stored with
            {
                Revocation = revocation,
                StoredOrder = revocation.Reason == RevocationReason.KeyCompromise ? null : stored.StoredOrder,
            }
            : stored;
}
