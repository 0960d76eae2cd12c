using System.Runtime.CompilerServices;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Typed access to the store. A value that cannot be read back is set aside under another key and reported; the caller sees it as missing.
/// </summary>
internal sealed class CertificateStore(IAcmeStorage storage, ILogger<CertificateStore> logger)
{
    private delegate T Decoder<T>(ReadOnlySpan<byte> value);

    public IAcmeStorage Storage => storage;

    public Task<CertificateRecord?> ReadCertificateAsync(string id, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.Certificate(id), CertificateFile.Decode, cancellationToken);

    public Task<CertificateStateRecord?> ReadStateAsync(string id, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.State(id), StateFile.Decode, cancellationToken);

    public Task<AccountRecord?> ReadAccountAsync(string authority, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.Account(authority), AccountFile.Decode, cancellationToken);

    public async IAsyncEnumerable<(string Id, CertificateRecord Record)> ReadCertificatesAsync(
        IReadOnlyCollection<string> ids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var byKey = ids.ToDictionary(StorageLayout.Certificate);
        await foreach (var entry in storage.ReadManyAsync(byKey.Keys, cancellationToken))
        {
            if (await DecodeAsync(entry.Key, entry.Value, CertificateFile.Decode, cancellationToken) is { } record)
            {
                yield return (byKey[entry.Key], record);
            }
        }
    }

    public async IAsyncEnumerable<(string Id, CertificateStateRecord Record)> ReadStatesAsync(
        IReadOnlyCollection<string> ids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var byKey = ids.ToDictionary(StorageLayout.State);
        await foreach (var entry in storage.ReadManyAsync(byKey.Keys, cancellationToken))
        {
            if (await DecodeAsync(entry.Key, entry.Value, StateFile.Decode, cancellationToken) is { } record)
            {
                yield return (byKey[entry.Key], record);
            }
        }
    }

    public ValueTask WriteCertificateAsync(string id, CertificateRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.Certificate(id), CertificateFile.Encode(record), lease, cancellationToken);

    public ValueTask WriteStateAsync(string id, CertificateStateRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.State(id), StateFile.Encode(record), lease, cancellationToken);

    public ValueTask WriteAccountAsync(string authority, AccountRecord record, IStorageLease? lease, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.Account(authority), AccountFile.Encode(record), lease, cancellationToken);

    /// <summary>Sets a certificate aside that was read but must not be served.</summary>
    public async Task SetCertificateAsideAsync(string id, string reason, CancellationToken cancellationToken)
    {
        var key = StorageLayout.Certificate(id);
        if (await storage.ReadAsync(key, cancellationToken) is { } value)
        {
            await StorageDamage.SetAsideAsync(storage, key, value, reason, logger, lease: null, cancellationToken);
        }
    }

    public Task<RevocationListRecord?> ReadRevocationListAsync(Uri url, CancellationToken cancellationToken)
        => ReadAsync(StorageLayout.RevocationList(url), RevocationListFile.Decode, cancellationToken);

    public ValueTask WriteRevocationListAsync(RevocationListRecord record, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.RevocationList(record.Url), RevocationListFile.Encode(record), lease: null, cancellationToken);

    /// <summary>Keeps a copy of a certificate that was revoked.</summary>
    public ValueTask SetRevokedAsideAsync(string id, CertificateSnapshot certificate, CancellationToken cancellationToken)
        => storage.WriteAsync(StorageLayout.Revoked(id, certificate.SerialNumber), CertificateFile.Encode(certificate.Record), lease: null, cancellationToken);

    private async Task<T?> ReadAsync<T>(string key, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
        => await storage.ReadAsync(key, cancellationToken) is { } value ? await DecodeAsync(key, value, decode, cancellationToken) : null;

    private async Task<T?> DecodeAsync<T>(string key, ReadOnlyMemory<byte> value, Decoder<T> decode, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return decode(value.Span);
        }
        catch (DamagedValueException exception)
        {
            var aside = await StorageDamage.SetAsideAsync(storage, key, value, exception.Message, logger, lease: null, cancellationToken);

            // What could not be set aside must not be overwritten: to the caller the store is in trouble, not empty.
            return aside is null ? throw new StorageUnavailableException($"'{key}' is damaged, and too many damaged values of it are kept already. Look at them and remove them.") : null;
        }
    }
}
