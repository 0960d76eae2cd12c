using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.Protection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage;

/// <summary>
/// Sets damaged values aside for typed stores: an unreadable value is moved to <c>KEY.damaged</c>, <c>KEY.damaged-2</c> and so on, so that
/// the key counts as missing and no data is lost.
/// </summary>
internal static class StorageDamage
{
    /// <summary>The number of damaged values that are kept per key.</summary>
    public const int MaxCopies = 20;

    /// <summary>Where damaged values go whose keys are too long for another suffix.</summary>
    public const string LongKeysPrefix = "damaged/";

    /// <summary>Whether a key holds a value that was set aside. Lists of keys must skip it.</summary>
    public static bool IsSetAside(string key)
    {
        var at = key.LastIndexOf(".damaged", StringComparison.Ordinal);
        var rest = at < 0 ? "x" : key[(at + ".damaged".Length)..];
        return rest.Length == 0 || (rest[0] == '-' && int.TryParse(rest[1..], out _));
    }

    /// <summary>Sets a value aside.</summary>
    /// <param name="storage">The store.</param>
    /// <param name="key">The key of the value.</param>
    /// <param name="value">The value that was read.</param>
    /// <param name="reason">What is wrong, in a few words. Must not contain any part of the value.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="lease">The lease under which the caller writes.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>
    /// The key that the value was moved to; <see langword="null"/> if too many are kept
    /// already. In that case the value is still in place and MUST NOT be overwritten.
    /// </returns>
    /// <exception cref="StorageUnavailableException">
    /// The store could not be read or written, or the value is encrypted: it is left in place.
    /// </exception>
    /// <exception cref="LeaseLostException">The lease no longer holds.</exception>
    public static async ValueTask<string?> SetAsideAsync(
        IAcmeStorage storage,
        string key,
        ReadOnlyMemory<byte> value,
        string reason,
        ILogger logger,
        IStorageLease? lease = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfEncrypted(key, value.Span);
        for (var copy = 1; copy <= MaxCopies; copy++)
        {
            var aside = KeyFor(key, copy);
            var there = await storage.ReadAsync(aside, cancellationToken);
            if (there is { } other && !other.Span.SequenceEqual(value.Span))
            {
                continue;
            }

            if (there is null)
            {
                await storage.WriteAsync(aside, value, lease, cancellationToken);
            }

            await DeleteIfUnchangedAsync(storage, key, value, lease, cancellationToken);
            logger.ValueSetAside(key, reason, aside);
            return aside;
        }

        logger.TooManyDamagedValues(key, reason, MaxCopies);
        return null;
    }

    /// <summary>Throws if a value that cannot be decoded is encrypted. It is not missing: nothing may be ordered in its place.</summary>
    /// <exception cref="StorageUnavailableException">It is.</exception>
    public static void ThrowIfEncrypted(string key, ReadOnlySpan<byte> value)
    {
        if (SecretParts.IsAnyProtected(value))
        {
            throw KeyProtection.NotDecrypted(key);
        }
    }

    private static async ValueTask DeleteIfUnchangedAsync(
        IAcmeStorage storage, string key, ReadOnlyMemory<byte> value, IStorageLease? lease, CancellationToken cancellationToken)
    {
        // Another instance may have replaced it with a good value.
        if (await storage.ReadAsync(key, cancellationToken) is { } now && now.Span.SequenceEqual(value.Span))
        {
            await storage.DeleteAsync(key, lease, cancellationToken);
        }
    }

    private static string KeyFor(string key, int copy)
    {
        var suffix = copy == 1 ? ".damaged" : $".damaged-{copy}";
        return StorageKey.IsValid(key + suffix)
            ? key + suffix
            : $"{LongKeysPrefix}{StorageKey.Hash(key)}{suffix}";
    }
}
