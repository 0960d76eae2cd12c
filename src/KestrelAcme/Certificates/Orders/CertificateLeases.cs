using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Takes the lease of a set of names. Only the instance that holds it changes the state of its certificates.</summary>
internal sealed class CertificateLeases(
    CertificateStore store, StoreSentinel sentinel, OrderProgress progress, IssuanceSettings settings, TimeProvider time,
    ILogger<CertificateLeases> logger)
{
    /// <returns>Writes the state; <see langword="null"/> if another instance, or other work of this one, holds the lease.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<CertificateStateWriter?> TryOpenAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        var name = StorageLayout.OrderLease(Identifiers.NameSet(certificate.Specification));
        if (await LeaseKeeper.TryAcquireAsync(store.Storage, name, settings.LeaseDuration, time, cancellationToken) is not { } keeper)
        {
            return null;
        }

        try
        {
            return await CertificateStateWriter.OpenAsync(certificate, store, keeper, progress, logger, cancellationToken);
        }
        catch
        {
            await keeper.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Takes the lease for an order. If the store knows nothing about the certificate because it was emptied, the lease is left to another
    /// instance until it has written back what it knows: it may have an order under way. So may one if the store knows of no order because
    /// it was emptied lately: what it has may be of an instance that knew less.
    /// </summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="stopping">Ends the wait for other instances.</param>
    /// <param name="abort">Cancels.</param>
    /// <inheritdoc cref="TryOpenAsync" path="/returns"/>
    /// <inheritdoc cref="TryOpenAsync" path="/exception"/>
    public async Task<CertificateStateWriter?> TryOpenForOrderAsync(
        ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        var writer = await TryOpenAsync(certificate, abort);
        if (writer is null || (writer.IsStateKnown && (writer.Pending is { OrderUrl: not null } || !sentinel.WasEmptied)))
        {
            return writer;
        }

        try
        {
            if (!await sentinel.MayBeFilledAsync(abort))
            {
                return writer;
            }
        }
        catch
        {
            await writer.DisposeAsync();
            throw;
        }

        await writer.DisposeAsync();
        await sentinel.AwaitFillingAsync(stopping);
        return await TryOpenAsync(certificate, abort);
    }

    /// <summary>
    /// Notes that a renewal is wanted that cannot be made now, so that it is made later, even by the next process. Without the store it is
    /// remembered in memory: opening the writer merges it, and the next change stores it.
    /// </summary>
    /// <returns>Whether the store has it.</returns>
    public async Task<bool> WantRenewalAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        CertificateStateWriter.WantRenewal(certificate, time.GetUtcNow());
        try
        {
            await using var writer = await TryOpenAsync(certificate, cancellationToken);
            return writer is not null && await writer.ChangeAsync(static state => state, cancellationToken);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            return false;
        }
    }

    /// <summary>
    /// Notes that a renewal is wanted, as soon as nobody else changes the state: the next process makes it if this one does not.
    /// </summary>
    /// <returns>Whether the store has it. It counts in memory in any case.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> StoreWantedRenewalAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        CertificateStateWriter.WantRenewal(certificate, time.GetUtcNow());
        await using var writer = await OpenAsync(certificate, cancellationToken);
        return await writer.ChangeAsync(static state => state, cancellationToken);
    }

    /// <summary>Waits until the lease is free.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<CertificateStateWriter> OpenAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await TryOpenAsync(certificate, cancellationToken) is { } writer)
            {
                return writer;
            }

            await Task.Delay(settings.LeasePoll, time, cancellationToken);
        }
    }
}
