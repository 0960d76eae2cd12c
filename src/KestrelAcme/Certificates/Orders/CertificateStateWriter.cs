using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// The only type that changes the state of a certificate, in memory and in the store. It holds the lease of the set of names, and writes
/// down each step of an order before the next one is taken, so that an order is resumed after a crash. Nothing is ordered if the intent
/// cannot be stored. Later steps go on if the store fails: an existing order should be finished.
/// </summary>
internal sealed class CertificateStateWriter : IAsyncDisposable
{
    private readonly ManagedCertificate _certificate;
    private readonly CertificateStore _store;
    private readonly LeaseKeeper _keeper;
    private readonly OrderProgress _progress;
    private readonly ILogger _logger;
    private bool _givenUp;
    private bool? _wasUnfinished;

    private CertificateStateWriter(
        ManagedCertificate certificate, CertificateStore store, LeaseKeeper keeper, OrderProgress progress, ILogger logger)
    {
        _certificate = certificate;
        _store = store;
        _keeper = keeper;
        _progress = progress;
        _logger = logger;
    }

    public CertificateStateRecord State => _certificate.State;

    public IStorageLease Lease => _keeper.Lease;

    public StoredOrder? Pending => State.StoredOrder;

    /// <summary>Whether the store had a state when the lease was taken.</summary>
    public bool IsStateKnown { get; private init; }

    /// <summary>Whether, before this attempt, an order was not over or a renewal was wanted: it still is if the attempt fails.</summary>
    public bool WasUnfinished => _wasUnfinished ?? State.IsUnfinished;

    /// <summary>The order that is under way.</summary>
    /// <exception cref="OrderWithdrawnException">It was dropped meanwhile, because its key may be the one that was revoked as
    /// compromised.</exception>
    /// <exception cref="OrderOvertakenException">Another instance finished it or dropped it.</exception>
    public StoredOrder RequirePending() => Require(State);

    /// <summary>Starts from what other instances have written since this one last read the state.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="store">Holds its state.</param>
    /// <param name="keeper">Keeps the lease of its set of names; disposed with the writer.</param>
    /// <param name="progress">Told of changes of the state.</param>
    /// <param name="logger">Told if a change could not be stored.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public static async Task<CertificateStateWriter> OpenAsync(
        ManagedCertificate certificate,
        CertificateStore store,
        LeaseKeeper keeper,
        OrderProgress progress,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        var stored = await store.ReadStateAsync(certificate.Id, cancellationToken);
        if (stored is not null)
        {
            certificate.ChangeState(known => StateMerge.Merge(stored, known, certificate.Current?.SerialNumber));
        }

        return new CertificateStateWriter(certificate, store, keeper, progress, logger) { IsStateKnown = stored is not null };
    }

    /// <summary>
    /// Takes over a state that was read from the store, without the lease: nothing is written. What this instance knows and could not store
    /// is kept.
    /// </summary>
    public static void TakeOver(ManagedCertificate certificate, CertificateStateRecord stored)
        => certificate.ChangeState(known => StateMerge.Merge(stored, known, certificate.Current?.SerialNumber));

    /// <summary>
    /// Changes the state in memory only, if the lease cannot be waited for. The next change under the lease stores it: see <see
    /// cref="StateMerge"/>.
    /// </summary>
    public static void ChangeUnstored(ManagedCertificate certificate, Func<CertificateStateRecord, CertificateStateRecord> change)
        => certificate.ChangeState(change);

    /// <summary>Notes in memory that a renewal is wanted. An order that is not over is finished anyway.</summary>
    public static void WantRenewal(ManagedCertificate certificate, DateTimeOffset now)
        => ChangeUnstored(
            certificate,
            state => certificate.Current is null || (state.IsUnfinished && !certificate.IsStateUnstored)
                ? state
                : state with { State = CertificateState.RenewalDue, Since = now });

    /// <summary>Lets other instances have the set of names.</summary>
    public ValueTask DisposeAsync() => _keeper.DisposeAsync();

    /// <summary>Changes the state.</summary>
    /// <returns>Whether the change could be stored. It counts in memory in any case.</returns>
    public Task<bool> ChangeAsync(Func<CertificateStateRecord, CertificateStateRecord> change, CancellationToken cancellationToken)
        => StoreAsync(state => _givenUp ? change(state) with { StoredOrder = null } : change(state), cancellationToken);

    /// <summary>Notes that an attempt is under way.</summary>
    public Task EnterAsync(CertificateState next, DateTimeOffset now, CancellationToken cancellationToken)
    {
        _wasUnfinished ??= State.IsUnfinished;
        return StoreAsync(state => state with { State = next, Since = now }, cancellationToken);
    }

    /// <summary>Notes that the certificate was obtained. Of the attempts before it only the time is kept.</summary>
    public Task FinishAsync(DateTimeOffset now, CancellationToken cancellationToken)
        => FinishAsync(state => Finished(state, now), cancellationToken);

    /// <summary>Notes when the records end that stay in DNS (dns-persist-01); it is stored when the order is finished.</summary>
    public void NoteRecordsEnd(DateTimeOffset end)
        => _certificate.ChangeState(state => state with { RecordsEnd = end < DateTimeOffset.MaxValue ? end : null });

    /// <summary>Notes how a rehearsal went.</summary>
    public Task RehearsedAsync(bool rehearseAgain, DateTimeOffset? downSince, CancellationToken cancellationToken)
        => StoreAsync(state => state with { Rehearse = rehearseAgain, RehearsalDownSince = downSince }, cancellationToken);

    /// <summary>
    /// Notes that the certificate is served but could not be stored. Its order is kept, with its key, so that it is found at the CA again
    /// after a crash.
    /// </summary>
    public Task FinishUnsavedAsync(DateTimeOffset now, CancellationToken cancellationToken)
        => FinishAsync(state => Finished(state, now) with { StoredOrder = state.StoredOrder }, cancellationToken);

    /// <exception cref="StorageUnavailableException">The intent could not be stored.</exception>
    public async Task StoreIntentAsync(StoredOrder intent, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.StoreIntent);
        var (_, next) = _certificate.ChangeState(state => state with { StoredOrder = intent });
        await WriteAsync(next, cancellationToken);
        step.Done();
    }

    public async Task StoreOrderUrlAsync(Uri url, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.StoreOrderUrl);
        await StoreAsync(
            state => state with { StoredOrder = Require(state) with { OrderUrl = url, Expires = expires } }, cancellationToken);
        step.Done();
    }

    /// <summary>Stores the state again if that failed, as after an outage of the store in the middle of an order.</summary>
    public Task StoreAgainAsync(CancellationToken cancellationToken)
        => _certificate.IsStateUnstored ? StoreAsync(static state => state, cancellationToken) : Task.CompletedTask;

    /// <summary>
    /// Replaces the key of the order, and notes that the previous one was refused. The key must be stored before the CA gets it: a crash
    /// would leave a certificate without its key.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The key could not be stored.</exception>
    public async Task ReplaceKeyAsync(byte[] key, CancellationToken cancellationToken)
    {
        var (_, next) = _certificate.ChangeState(
            state => state with { StoredOrder = Require(state) with { PrivateKey = key }, KeyRefused = true });
        await WriteAsync(next, cancellationToken);
    }

    /// <summary>Notes that the CA issued a certificate. From now on it counts against the CA's limits.</summary>
    public async Task StoreCertificateUrlAsync(Uri url, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.StoreCertificateUrl);
        CertificateStateRecord Note(CertificateStateRecord state)
        {
            var pending = Require(state);
            var counted = pending.CertificateUrl is null ? ExactSetPolicy.Add(state, now, pending.DirectoryUrl) : state;
            return counted with { StoredOrder = pending with { CertificateUrl = url } };
        }

        await StoreAsync(Note, cancellationToken);
        step.Done();
    }

    /// <summary>
    /// Gives up the order with the next change, which counts the failure. If both were written separately, a crash in between would let the
    /// next start order at once.
    /// </summary>
    public void GiveUpOrder() => _givenUp = true;

    /// <summary>Forgets the order, because it is finished or unknown to the CA.</summary>
    public Task ForgetAsync(CancellationToken cancellationToken)
    {
        _givenUp = false;
        return StoreAsync(static state => state with { StoredOrder = null }, cancellationToken);
    }

    private static StoredOrder Require(CertificateStateRecord state)
        => state.StoredOrder ?? throw (state.Revocation is { Reason: RevocationReason.KeyCompromise }
            ? new OrderWithdrawnException()
            : new OrderOvertakenException());

    // What counts against the CA's limits is kept, and that the new certificate was revoked already.
    private CertificateStateRecord Finished(CertificateStateRecord state, DateTimeOffset now)
        => new()
        {
            State = CertificateState.Valid,
            Since = now,
            Issued = state.Issued,
            IssuedBy = state.IssuedBy,
            FailedValidations = state.FailedValidations,
            RecordsEnd = state.RecordsEnd,
            Revocation = state.Revocation?.SerialNumber == _certificate.Current?.SerialNumber ? state.Revocation : null,
        };

    private async Task FinishAsync(Func<CertificateStateRecord, CertificateStateRecord> change, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.StoreState);
        try
        {
            await StoreAsync(change, cancellationToken);
            step.Done();
        }
        catch (LeaseLostException exception)
        {
            // The certificate is served. The instance that holds the lease now sees that the order is done, or finishes it, and stores
            // that.
            _logger.StateNotStored(_certificate.Id, exception.Message);
        }
    }

    private async Task<bool> StoreAsync(
        Func<CertificateStateRecord, CertificateStateRecord> change, CancellationToken cancellationToken)
    {
        var (before, next) = _certificate.ChangeState(change);
        _progress.Changed(_certificate, before.State, next.State);
        try
        {
            await WriteAsync(next, cancellationToken);
            return true;
        }
        catch (StorageUnavailableException exception)
        {
            _logger.StateNotStored(_certificate.Id, exception.Message);
            return false;
        }
    }

    private async Task WriteAsync(CertificateStateRecord state, CancellationToken cancellationToken)
    {
        _certificate.IsStateUnstored = true;
        await _store.WriteStateAsync(_certificate.Id, state, Lease, cancellationToken);
        _certificate.IsStateUnstored = false;
    }
}
