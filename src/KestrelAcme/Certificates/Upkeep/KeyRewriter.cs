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
/// those that an earlier key encrypted. Each value is read and written under the lease that protects it from other changes, and is replaced
/// as a whole, so a crash leaves either the old value or the new one.
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

    // What could not be written when it was found. Only that is read and decrypted again, because a key management service costs money.
    private readonly List<(string Key, string? Lease)> _left = [];
    private readonly List<(string Key, string Reason)> _unreadable = [];

    private int _looked;
    private long _since;
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

        // What cannot be written for a week must not keep the others from being looked at.
        if (_looked == 0 || time.GetElapsedTime(_since) > Full)
        {
            (_looked, _since) = (0, time.GetTimestamp());
            _left.Clear();
            _unreadable.Clear();
        }

        await RewriteLeftAsync(0, cancellationToken);
        while (_looked < protection.Places.Count)
        {
            var unreadable = new List<(string Key, string Reason)>();
            var found = await FindAsync(protection.Places[_looked], unreadable, cancellationToken);
            var known = _left.Count;
            _left.AddRange(found);
            _unreadable.AddRange(unreadable);
            if (++_looked == protection.Places.Count)
            {
                ReportUnreadable();
            }

            await RewriteLeftAsync(known, cancellationToken);
        }

        if (_left.Count > 0)
        {
            return false;
        }

        _looked = 0;
        Report();
        return true;
    }

    private async Task RewriteLeftAsync(int first, CancellationToken cancellationToken)
    {
        for (var i = _left.Count - 1; i >= first; i--)
        {
            if (await TryRewriteAsync(_left[i].Key, _left[i].Lease, cancellationToken) is { } isWritten)
            {
                _written += isWritten ? 1 : 0;
                _left.RemoveAt(i);
            }
        }
    }

    private void ReportUnreadable()
    {
        if (_unreadable.Count > 0 && _unreadable.Count != _reported)
        {
            logger.KeysNotDecrypted(_unreadable.Count, _unreadable[0].Reason);
        }

        _reported = _unreadable.Count;
        _unreadable.Clear();
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
            if (protection.IsOutdated(entry.Key) && TryFindLease(entry, out var lease))
            {
                found.Add((entry.Key, lease));
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

        // Without the lease of those who change it, it might be written over what they store. If its names have changed meanwhile, it has
        // another lease, and is found again later.
        if (await storage.ReadAsync(key, cancellationToken) is not { } value || !protection.IsOutdated(key)
            || !TryFindLease(new StorageEntry(key, value), out var now) || now != leaseName)
        {
            return false;
        }

        await storage.WriteAsync(key, value, keeper?.Lease, cancellationToken);
        return true;
    }

    /// <summary>
    /// Finds the lease of those who change a value. Revoked certificates, registrations and damaged values are written once and never
    /// changed: they have none.
    /// </summary>
    /// <returns><see langword="false"/> if it has one that is not known. Such a value is left alone.</returns>
    private bool TryFindLease(StorageEntry entry, out string? lease)
    {
        var key = entry.Key;
        var isCertificate = key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal);
        lease = null;
        if (StorageDamage.IsSetAside(key))
        {
            return true;
        }

        if (isCertificate || key.StartsWith(StorageLayout.StatesPrefix, StringComparison.Ordinal))
        {
            lease = catalog.Find(StorageLayout.IdOf(key)) is { } managed
                ? StorageLayout.OrderLease(Identifiers.NameSet(managed.Specification))
                : NamesOf(entry.Value.Span, isCertificate) is { } names ? StorageLayout.OrderLease(Identifiers.NameSet(names)) : null;
            return lease is not null;
        }

        lease = key.StartsWith(StorageLayout.AccountsPrefix, StringComparison.Ordinal)
            ? StorageLayout.AccountLease(StorageLayout.IdOf(key)) : null;
        return true;
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
