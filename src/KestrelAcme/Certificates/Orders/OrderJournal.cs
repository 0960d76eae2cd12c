using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Writes down each step of an order before the next one is taken, so that a crash in between is resumed. The intent must be stored, or nothing is ordered;
/// later steps go on when the store fails: an order that exists is better finished than forgotten.
/// </summary>
internal sealed class OrderJournal(string id, CertificateStateRecord state, CertificateStore store, IStorageLease lease, Action<OrderStep> reached, ILogger logger)
{
    public CertificateStateRecord State { get; private set; } = state;

    public IStorageLease Lease => lease;

    public PendingOrder? Pending => State.PendingOrder;

    public void Reached(OrderStep step) => reached(step);

    /// <summary>Notes that an attempt is under way.</summary>
    public Task EnterAsync(CertificateState next, DateTimeOffset now, CancellationToken cancellationToken)
        => StoreAsync(State with { State = next, Since = now }, cancellationToken);

    /// <summary>Notes that the certificate is there: nothing of the attempts that led to it is kept but the time.</summary>
    public Task FinishAsync(DateTimeOffset now, CancellationToken cancellationToken)
        => StoreAsync(new CertificateStateRecord { State = CertificateState.Valid, Since = now, Issued = ExactSetPolicy.Add(State.Issued, now) }, cancellationToken);

    /// <summary>Notes how a rehearsal went.</summary>
    public Task RehearsedAsync(bool rehearseAgain, DateTimeOffset? downSince, CancellationToken cancellationToken)
        => StoreAsync(State with { Rehearse = rehearseAgain, RehearsalDownSince = downSince }, cancellationToken);

    /// <exception cref="StorageUnavailableException">The intent could not be stored.</exception>
    public async Task StoreIntentAsync(PendingOrder intent, CancellationToken cancellationToken)
    {
        State = State with { PendingOrder = intent };
        await store.WriteStateAsync(id, State, lease, cancellationToken);
        Reached(OrderStep.IntentStored);
    }

    public async Task StoreOrderUrlAsync(Uri url, CancellationToken cancellationToken)
    {
        await StoreAsync(State with { PendingOrder = Pending! with { OrderUrl = url } }, cancellationToken);
        Reached(OrderStep.OrderUrlStored);
    }

    public async Task StoreCertificateUrlAsync(Uri url, CancellationToken cancellationToken)
    {
        await StoreAsync(State with { PendingOrder = Pending! with { CertificateUrl = url } }, cancellationToken);
        Reached(OrderStep.CertificateUrlStored);
    }

    /// <summary>Forgets the order: it is finished, or the authority no longer knows it.</summary>
    public Task ForgetAsync(CancellationToken cancellationToken) => StoreAsync(State with { PendingOrder = null }, cancellationToken);

    private async Task StoreAsync(CertificateStateRecord next, CancellationToken cancellationToken)
    {
        State = next;
        try
        {
            await store.WriteStateAsync(id, next, lease, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.StateNotStored(id, exception.Message);
        }
    }
}
