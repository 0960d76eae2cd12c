using System.Security.Cryptography;
using KestrelAcme.Diagnostics;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Storage.Protection;

/// <summary>Encrypts keys with the app's ASP.NET Core Data Protection.</summary>
internal sealed class DataProtectionKeyProtector : IKeyProtector
{
    private const string Purpose = "KestrelAcme.StoredKeys.v1";

    private readonly IDataProtectionProvider _provider;

    public DataProtectionKeyProtector(
        IDataProtectionProvider provider,
        IOptions<KeyManagementOptions> keys,
        IOptions<DataProtectionOptions> options,
        IHostEnvironment environment,
        ILogger<DataProtectionKeyProtector> logger)
    {
        _provider = provider;
        IsRingPersisted = keys.Value.XmlRepository is not null;
        if (!IsRingPersisted)
        {
            logger.KeyRingInDefaultPlace();
        }

        // The default, with which the keys of an app in another folder cannot be decrypted.
        if (options.Value.ApplicationDiscriminator is not { Length: > 0 } name
            || name.AsSpan().TrimEnd('/').TrimEnd('\\').SequenceEqual(environment.ContentRootPath.AsSpan().TrimEnd('/').TrimEnd('\\')))
        {
            logger.KeyRingWithoutName();
        }
    }

    public string Name => "data-protection";

    /// <summary>Whether the app says where the key ring is kept.</summary>
    public bool IsRingPersisted { get; }

    // The key ring may be read from a network, and only synchronously.
    public async ValueTask<ReadOnlyMemory<byte>> ProtectAsync(
        ReadOnlyMemory<byte> key, string purpose, CancellationToken cancellationToken = default)
        => await Task.Run(() => Protector(purpose).Protect(key.ToArray()), cancellationToken);

    public async ValueTask<UnprotectedKey> UnprotectAsync(
        ReadOnlyMemory<byte> protectedKey, string purpose, CancellationToken cancellationToken = default)
    {
        try
        {
            return await Task.Run(() => Unprotect(protectedKey.ToArray(), purpose), cancellationToken);
        }
        catch (CryptographicException exception)
        {
            throw new KeyProtectionException(
                $"Data Protection cannot decrypt its private key: {exception.Message} "
                + "Restore the key ring that encrypted it (PersistKeysTo...), and keep the name of the app (SetApplicationName). "
                + "If both are as they were, the value was changed, or copied from another one: restore it from a backup, or delete it",
                exception);
        }
    }

    // A key of the ring that has expired, or was revoked, still decrypts: what it encrypted is then encrypted again.
    private UnprotectedKey Unprotect(byte[] protectedKey, string purpose)
    {
        if (Protector(purpose) is not IPersistedDataProtector persisted)
        {
            return new UnprotectedKey(Protector(purpose).Unprotect(protectedKey));
        }

        var key = persisted.DangerousUnprotect(
            protectedKey, ignoreRevocationErrors: true, out var requiresMigration, out var wasRevoked);
        return new UnprotectedKey(key, requiresMigration || wasRevoked);
    }

    private IDataProtector Protector(string purpose) => _provider.CreateProtector(Purpose, purpose);
}
