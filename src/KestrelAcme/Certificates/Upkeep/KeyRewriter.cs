using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Protection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Upkeep;

/// <summary>
/// Writes stored keys again that are not protected as they should be: those that were stored before protection was turned on or off, and
/// those that an earlier key encrypted. Each value is read and written under the lease of whoever else changes it, and replaced as a whole,
/// so a crash leaves it as it was or as it should be.
/// </summary>
internal sealed class KeyRewriter(
    BoundedStorage storage,
    KeyProtection protection,
    CertificateCatalog catalog,
    IssuanceStatus issuance,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Full = TimeSpan.FromDays(7);
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(10);

    private int _written;
    private int _reported;
    private string? _failure;

    /// <summary>
    /// Looks for such values when all certificates have been read, again while some could not be written, and once a week.
    /// </summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        for (var again = Look; !stopping.IsCancellationRequested;)
        {
            var pause = Look;
            if (issuance.IsKnown && !catalog.HasUnread)
            {
                (pause, again) = (again, again * 2 < LongestPause ? again * 2 : LongestPause);
                try
                {
                    // An instance that only serves may not be able to write, and leaves it to one that orders.
                    if (issuance.ReasonNotToOrder is null && await TryRewriteAllAsync(stopping))
                    {
                        (pause, again) = (Full, Look);
                    }
                }
                catch (OperationCanceledException) when (stopping.IsCancellationRequested)
                {
                    return;
                }
                catch (Exception exception)
                {
                    Fail(exception);
                }
            }

            await Task.Delay(pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>Whether nothing is left to be tried again soon.</returns>
    private async Task<bool> TryRewriteAllAsync(CancellationToken cancellationToken)
    {
        await using var keeper = await LeaseKeeper.TryAcquireAsync(
            storage, StorageLayout.KeysLease, LeaseDuration, time, cancellationToken);
        if (keeper is null)
        {
            return false;
        }

        var left = 0;
        var unreadable = new List<(string Key, string Reason)>();
        foreach (var place in protection.Places)
        {
            foreach (var (key, lease) in await FindAsync(place, unreadable, cancellationToken))
            {
                if (await TryRewriteAsync(key, lease, cancellationToken) is { } isWritten)
                {
                    _written += isWritten ? 1 : 0;
                }
                else
                {
                    left++;
                }
            }
        }

        if (unreadable.Count > 0 && unreadable.Count != _reported)
        {
            logger.KeysNotDecrypted(unreadable.Count, unreadable[0].Reason);
        }

        _reported = unreadable.Count;
        if (left == 0)
        {
            Report();
        }

        return left == 0;
    }

    // The values themselves are not kept: there may be ten thousand.
    private async Task<List<(string Key, string? Lease)>> FindAsync(
        SecretPlace place, List<(string Key, string Reason)> unreadable, CancellationToken cancellationToken)
    {
        var all = new List<string>();
        await foreach (var key in storage.ListAsync(place.Prefix, cancellationToken))
        {
            all.Add(key);
        }

        var found = new List<(string Key, string? Lease)>();
        var entries = TolerantReader.ReadManyAsync(
            storage, all, (key, reason) => unreadable.Add((key, reason)), logger, cancellationToken);
        await foreach (var entry in entries)
        {
            if (protection.IsOutdated(entry.Key))
            {
                found.Add((entry.Key, LeaseOf(entry)));
            }
        }

        return found;
    }

    /// <returns>
    /// Whether it was written, and not by another instance or deleted meanwhile; <see langword="null"/> if somebody else changes it, or if
    /// it could not be written.
    /// </returns>
    private async Task<bool?> TryRewriteAsync(string key, string? leaseName, CancellationToken cancellationToken)
    {
        try
        {
            return await RewriteAsync(key, leaseName, cancellationToken);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            Fail(exception);
            return null;
        }
    }

    private async Task<bool?> RewriteAsync(string key, string? leaseName, CancellationToken cancellationToken)
    {
        await using var keeper = leaseName is null ? null
            : await LeaseKeeper.TryAcquireAsync(storage, leaseName, settings.LeaseDuration, time, cancellationToken);
        if (keeper is null && leaseName is not null)
        {
            return null;
        }

        if (await storage.ReadAsync(key, cancellationToken) is not { } value || !protection.IsOutdated(key))
        {
            return false;
        }

        await storage.WriteAsync(key, value, keeper?.Lease, cancellationToken);
        return true;
    }

    // Revoked certificates, registrations and damaged values are written once and never changed.
    private string? LeaseOf(StorageEntry entry)
    {
        var key = entry.Key;
        var isCertificate = key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal);
        if (StorageDamage.IsSetAside(key))
        {
            return null;
        }

        if (isCertificate || key.StartsWith(StorageLayout.StatesPrefix, StringComparison.Ordinal))
        {
            return catalog.Find(StorageLayout.IdOf(key)) is { } managed
                ? StorageLayout.OrderLease(Identifiers.NameSet(managed.Specification))
                : NamesOf(entry.Value.Span, isCertificate) is { } names ? StorageLayout.OrderLease(Identifiers.NameSet(names)) : null;
        }

        return key.StartsWith(StorageLayout.AccountsPrefix, StringComparison.Ordinal)
            ? StorageLayout.AccountLease(StorageLayout.IdOf(key)) : null;
    }

    private static IReadOnlyList<string>? NamesOf(ReadOnlySpan<byte> value, bool isCertificate)
    {
        try
        {
            return isCertificate ? CertificateFile.Decode(value, new SharedParts()).Metadata.Names
                : StateFile.Decode(value).StoredOrder?.Names;
        }
        catch (DamagedValueException)
        {
            return null;
        }
    }

    // Once, also if it took several rounds.
    private void Report()
    {
        if (_written > 0 && protection.Encrypts)
        {
            logger.KeysEncrypted(_written, protection.Name);
        }
        else if (_written > 0)
        {
            logger.KeysDecrypted(_written);
        }

        (_written, _failure) = (0, null);
    }

    private void Fail(Exception exception)
    {
        if (exception.Message != _failure)
        {
            _failure = exception.Message;
            logger.HousekeepingFailed(exception.Message);
        }
    }
}
