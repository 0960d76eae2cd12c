using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Reads and writes the typed values of the store. A value that cannot be decoded is renamed and logged, and counts as missing.
/// </summary>
internal sealed class CertificateStore(BoundedStorage storage, ILogger<CertificateStore> logger)
{
    private const int MaxReported = 16;

    // So many in one run are not the accident of a single file.
    private const int Many = 5;

    private readonly SharedParts _shared = new();
    private readonly ConcurrentDictionary<string, bool> _repaired = new(StringComparer.Ordinal);
    private int _damaged;

    private delegate T Decoder<T>(ReadOnlySpan<byte> value);

    public IAcmeStorage Storage => storage;

    public Task<CertificateRecord?> ReadCertificateAsync(string id, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.Certificate(id), DecodeReadable, cancellationToken);

    /// <summary>Reads a certificate and its state at once.</summary>
    public async Task<StoredCertificate> ReadBothAsync(string id, CancellationToken cancellationToken)
    {
        var (key, stateKey) = (StorageLayout.Certificate(id), StorageLayout.State(id));
        CertificateRecord? certificate = null;
        CertificateStateRecord? state = null;
        await foreach (var (found, value) in storage.ReadManyAsync([key, stateKey], cancellationToken))
        {
            if (found == key)
            {
                certificate = await DecodeAsync(key, value, DecodeReadable, cancellationToken);
            }
            else
            {
                state = await DecodeAsync(stateKey, value, StateFile.Decode, cancellationToken);
            }
        }

        return new StoredCertificate(certificate, state);
    }

    public Task<CertificateStateRecord?> ReadStateAsync(string id, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.State(id), StateFile.Decode, cancellationToken);

    public Task<AccountRecord?> ReadAccountAsync(string authority, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.Account(authority), AccountFile.Decode, cancellationToken);

    /// <summary>
    /// Reads many certificates. One that cannot be read, or that is damaged and cannot be renamed, is logged and left out. The others are
    /// still read.
    /// </summary>
    /// <param name="ids">The IDs.</param>
    /// <param name="failed">Called with each ID whose stored value is unknown.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="StorageUnavailableException">The store cannot be read at all.</exception>
    public IAsyncEnumerable<(string Id, CertificateRecord Value)> ReadCertificatesAsync(
        IReadOnlyCollection<string> ids, Action<string> failed, CancellationToken cancellationToken)
        => ReadManyAsync(ids.ToDictionary(StorageLayout.Certificate), DecodeShared, failed, cancellationToken);

    /// <summary>
    /// Reads certificates that are not managed. A value that cannot be read may belong to somebody else: it is skipped and left as it is.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store cannot be read at all.</exception>
    public async IAsyncEnumerable<(string Id, CertificateSnapshot Value)> ReadUnmanagedCertificatesAsync(
        IReadOnlyCollection<string> ids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var idsByKey = ids.ToDictionary(StorageLayout.Certificate);
        await foreach (var entry in TolerantReader.ReadManyAsync(storage, idsByKey.Keys, static (_, _) => { }, logger, cancellationToken))
        {
            CertificateSnapshot snapshot;
            try
            {
                snapshot = _shared.Share(CertificateSnapshot.Read(DecodeShared(entry.Value.Span)));
            }
            catch (DamagedValueException)
            {
                continue;
            }

            yield return (idsByKey[entry.Key], snapshot);
        }
    }

    /// <summary>Reads many states, as <see cref="ReadCertificatesAsync"/> does.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be read at all.</exception>
    public IAsyncEnumerable<(string Id, CertificateStateRecord Value)> ReadStatesAsync(
        IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
        => ReadStatesAsync(ids, static _ => { }, cancellationToken);

    /// <summary>Reads many states, as <see cref="ReadCertificatesAsync"/> does.</summary>
    /// <exception cref="StorageUnavailableException">The store cannot be read at all.</exception>
    public IAsyncEnumerable<(string Id, CertificateStateRecord Value)> ReadStatesAsync(
        IReadOnlyCollection<string> ids, Action<string> failed, CancellationToken cancellationToken)
        => ReadManyAsync(ids.ToDictionary(StorageLayout.State), StateFile.Decode, failed, cancellationToken);

    public ValueTask WriteCertificateAsync(string id, CertificateRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.Certificate(id), CertificateFile.Encode(record), lease, cancellationToken);

    public ValueTask WriteStateAsync(string id, CertificateStateRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.State(id), StateFile.Encode(record), lease, cancellationToken);

    public ValueTask WriteAccountAsync(string authority, AccountRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.Account(authority), AccountFile.Encode(record), lease, cancellationToken);

    public async ValueTask DeleteAsync(string id, IStorageLease? lease, CancellationToken cancellationToken)
        => _ = await storage.DeleteAsync(StorageLayout.Certificate(id), lease, cancellationToken)
            | await storage.DeleteAsync(StorageLayout.State(id), lease, cancellationToken);

    /// <summary>Reads the leaf of a certificate. If it cannot be read, the stored value is renamed.</summary>
    public async Task<CertificateSnapshot?> TryReadSnapshotAsync(string id, CertificateRecord record, CancellationToken cancellationToken)
    {
        try
        {
            return _shared.Share(CertificateSnapshot.Read(record));
        }
        catch (DamagedValueException exception)
        {
            await SetCertificateAsideAsync(id, record, exception.Message, cancellationToken);
            return null;
        }
    }

    /// <summary>
    /// Renames a stored certificate that was read but must not be served, unless another one is stored by now. If the store does not allow
    /// it, that is logged.
    /// </summary>
    public async Task SetCertificateAsideAsync(
        string id, CertificateRecord refused, string reason, CancellationToken cancellationToken)
    {
        var key = StorageLayout.Certificate(id);
        try
        {
            if (await storage.ReadAsync(key, cancellationToken) is { } value && Holds(value.Span, refused))
            {
                await StorageDamage.SetAsideAsync(storage, key, value, reason, logger, lease: null, cancellationToken);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.DamageNotSetAside(key, reason, exception.Message);
        }
    }

    public Task<RevocationListRecord?> ReadRevocationListAsync(Uri url, string issuerKey, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.RevocationList(url, issuerKey), RevocationListFile.Decode, cancellationToken);

    public ValueTask WriteRevocationListAsync(RevocationListRecord record, CancellationToken cancellationToken)
        => storage.WriteAsync(
            StorageLayout.RevocationList(record.Url, record.IssuerKey), RevocationListFile.Encode(record), lease: null, cancellationToken);

    public Task<DomainSourceRecord?> ReadDomainSourceAsync(string slug, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.DomainSource(slug), DomainSourceFile.Decode, cancellationToken);

    public ValueTask WriteDomainSourceAsync(string slug, DomainSourceRecord record, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.DomainSource(slug), DomainSourceFile.Encode(record), lease: null, cancellationToken);

    /// <summary>Stores a copy of a revoked certificate.</summary>
    public ValueTask SetRevokedAsideAsync(string id, CertificateSnapshot certificate, CancellationToken cancellationToken)
        => storage.WriteAsync(
            StorageLayout.Revoked(id, certificate.SerialNumber), CertificateFile.Encode(certificate.Record), lease: null,
            cancellationToken);

    private async IAsyncEnumerable<(string Id, T Value)> ReadManyAsync<T>(
        Dictionary<string, string> idsByKey, Decoder<T> decode, Action<string> failed,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var failures = 0;
        void Fail(string key, string reason)
        {
            failed(idsByKey[key]);
            if (++failures <= MaxReported)
            {
                logger.ValueUnreadable(key, reason);
            }
        }

        await foreach (var entry in TolerantReader.ReadManyAsync(storage, idsByKey.Keys, Fail, logger, cancellationToken))
        {
            if (await TryDecodeAsync(entry, decode, Fail, cancellationToken) is { } value)
            {
                yield return (idsByKey[entry.Key], value);
            }
        }

        if (failures > MaxReported)
        {
            logger.MoreValuesUnreadable(failures);
        }
    }

    private async Task<T?> TryDecodeAsync<T>(
        StorageEntry entry, Decoder<T> decode, Action<string, string> failed, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await DecodeAsync(entry.Key, entry.Value, decode, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            failed(entry.Key, exception.Message);
            return null;
        }
    }

    private CertificateRecord DecodeShared(ReadOnlySpan<byte> value) => CertificateFile.Decode(value, _shared);

    private bool Holds(ReadOnlySpan<byte> value, CertificateRecord record)
    {
        try
        {
            return DecodeShared(value).Chain[0].Span.SequenceEqual(record.Chain[0].Span);
        }
        catch (DamagedValueException)
        {
            // Whoever reads it next sets it aside.
            return false;
        }
    }

    // The PEM armor may be intact around a damaged leaf.
    private CertificateRecord DecodeReadable(ReadOnlySpan<byte> value)
    {
        var record = DecodeShared(value);
        CertificateSnapshot.Read(record);
        return record;
    }

    private async Task<T?> ReadAsync<T>(string key, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
        => await storage.ReadAsync(key, cancellationToken) is { } value ? await DecodeAsync(key, value, decode, cancellationToken) : null;

    private async Task<T?> DecodeAsync<T>(string key, ReadOnlyMemory<byte> value, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var decoded = decode(value.Span);
            if (decoded is CertificateRecord { Repaired: { } reason })
            {
                ReportRepaired(key, reason);
            }

            return decoded;
        }
        catch (DamagedValueException exception)
        {
            StorageDamage.ThrowIfEncrypted(key, value.Span);
            ReportMany();
            // A value that cannot be renamed must not be overwritten: the caller sees a store in trouble, not a missing value.
            var aside = await StorageDamage.SetAsideAsync(storage, key, value, exception.Message, logger, lease: null, cancellationToken);
            return aside is not null ? null : throw new StorageUnavailableException(
                $"'{key}' is damaged, and too many damaged copies of it exist. Look at them, find the cause, and delete them.");
        }
    }

    // The same value is read again with every pass over the store.
    private void ReportRepaired(string key, string reason)
    {
        if (_repaired.Count > MaxReported || !_repaired.TryAdd(key, true))
        {
            return;
        }

        if (_repaired.Count <= MaxReported)
        {
            logger.CertificateRepaired(key, reason);
        }

        ReportMany();
    }

    private void ReportMany()
    {
        if (Interlocked.Increment(ref _damaged) == Many)
        {
            logger.ManyValuesDamaged(Many);
        }
    }
}
