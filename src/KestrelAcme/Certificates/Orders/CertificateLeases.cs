using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Opens the journals of certificates: whoever has one is the only one, among all instances, that changes the state of that set of names.</summary>
internal sealed class CertificateLeases(CertificateStore store, OrderProgress progress, IssuanceSettings settings, TimeProvider time, ILogger<CertificateLeases> logger)
{
    /// <returns>The journal; <see langword="null"/> when another instance, or another work of ours, has it.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<OpenStateWriter?> TryOpenAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        var name = StorageLayout.OrderLease(Identifiers.NameSet(certificate.Specification));
        if (await LeaseKeeper.TryAcquireAsync(store.Storage, name, settings.LeaseDuration, time, cancellationToken) is not { } keeper)
        {
            return null;
        }

        try
        {
            return new OpenStateWriter(
                keeper,
                await CertificateStateWriter.OpenAsync(certificate, store, keeper.Lease, step => progress.Reached(certificate, step), (from, to) => progress.Changed(certificate, from, to), logger, cancellationToken));
        }
        catch
        {
            await keeper.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the journal is free.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<OpenStateWriter> OpenAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await TryOpenAsync(certificate, cancellationToken) is { } journal)
            {
                return journal;
            }

            await Task.Delay(settings.LeasePoll, time, cancellationToken);
        }
    }
}
