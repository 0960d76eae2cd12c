using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Storage.Protection;

/// <summary>
/// Encrypts the secrets in values that are written, and decrypts them in values that are read. The last registered protector encrypts; all
/// of them decrypt. Remembers which values have to be written again.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class KeyProtection
{
    private const byte Version = 1;
    private const string LeftAlone = "Nothing is ordered, replaced or deleted because of it.";

    private readonly IReadOnlyList<IKeyProtector> _protectors;
    private readonly ConcurrentDictionary<string, bool> _outdated = new(StringComparer.Ordinal);

    /// <param name="protectors">At least one.</param>
    /// <param name="encrypts">Whether secrets are encrypted; otherwise they are only decrypted, and rewritten as they are.</param>
    /// <param name="places">The values with secrets.</param>
    public KeyProtection(IReadOnlyList<IKeyProtector> protectors, bool encrypts, IReadOnlyList<SecretPlace> places)
    {
        foreach (var protector in protectors)
        {
            if (protector.Name is not { Length: > 0 and <= 64 } name
                || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
            {
                throw new InvalidOperationException(
                    $"The name '{protector.Name}' of the key protector {protector.GetType().Name} is not valid. "
                    + "Use 1 to 64 lower-case letters, digits and hyphens.");
            }
        }

        (_protectors, Encrypts, Places) = (protectors, encrypts, places);
    }

    /// <summary>Whether secrets are encrypted when they are written.</summary>
    public bool Encrypts { get; }

    /// <summary>
    /// Whether stored values are written again as they should be. Nothing that can be read now is encrypted with a key ring that may be
    /// lost with the container.
    /// </summary>
    public bool MayRewrite => !Encrypts || _protectors[^1] is not DataProtectionKeyProtector { IsRingPersisted: false };

    public IReadOnlyList<SecretPlace> Places { get; }

    /// <summary>The name of the protector that encrypts.</summary>
    public string Name => _protectors[^1].Name;

    /// <summary>Whether the value of a key, as it was read last, should be written again.</summary>
    public bool IsOutdated(string key) => _outdated.ContainsKey(key);

    /// <summary>Notes that a value was written.</summary>
    public void Written(string key) => _outdated.TryRemove(key, out _);

    /// <summary>Encrypts the secrets in a value.</summary>
    /// <exception cref="StorageUnavailableException">They could not be encrypted, so the value must not be stored.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> SealAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        if (!Encrypts || PlaceOf(key) is not { } place)
        {
            return value;
        }

        // A damaged value that is set aside may hold a key anywhere.
        var parts = StorageDamage.IsSetAside(key) ? null : SecretParts.FindPlain(value, place.Format);
        parts ??= [new SecretPart(0, value.Length, SecretParts.WholeValue, value)];
        var envelopes = new Dictionary<SecretPart, byte[]>(parts.Count);
        foreach (var part in parts)
        {
            envelopes[part] = await SealAsync(key, part, cancellationToken);
        }

        return parts.Count == 0 ? value
            : SecretParts.Replace(value, parts, part => SecretParts.ProtectedText(part.Label, envelopes[part]));
    }

    /// <summary>Decrypts the secrets in a value.</summary>
    /// <exception cref="StorageUnavailableException">
    /// They could not be decrypted. The inner exception is a <see cref="KeyProtectionException"/>.
    /// </exception>
    public async ValueTask<ReadOnlyMemory<byte>> OpenAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        if (PlaceOf(key) is not { } place)
        {
            return value;
        }

        var parts = SecretParts.FindProtected(value, place.Format);
        var isOutdated = parts.Count == 0 ? Encrypts && SecretParts.FindPlain(value, place.Format) is not { Count: 0 } : !Encrypts;
        var secrets = new Dictionary<SecretPart, (string Label, ReadOnlyMemory<byte> Secret)>(parts.Count);
        foreach (var part in parts)
        {
            var (name, label, ciphertext) = ReadEnvelope(key, part.Content);
            var opened = await OpenAsync(key, name, ciphertext, cancellationToken);
            isOutdated |= opened.IsOutdated || name != Name;
            secrets[part] = (label, opened.Key);
        }

        if (isOutdated)
        {
            _outdated[key] = true;
        }
        else
        {
            _outdated.TryRemove(key, out _);
        }

        return parts.Count == 0 ? value
            : SecretParts.Replace(value, parts, part => SecretParts.PlainText(secrets[part].Label, secrets[part].Secret.Span));
    }

    /// <summary>The failure for an encrypted value that is read without the protector that can decrypt it.</summary>
    public static StorageUnavailableException NotDecrypted(string key) => Unreadable(key, new KeyProtectionException(
        "its private key is encrypted, and it was not decrypted. "
        + "Register the protector that encrypted it again (ProtectKeysWithDataProtection, ProtectKeysWithCertificate or your own), "
        + "with AcmeHttps:ProtectKeys set to false if keys should not be encrypted any more. "
        + "If it is registered, the value is damaged: restore it from a backup, or delete it"));

    private static StorageUnavailableException Unreadable(string key, KeyProtectionException reason)
        => new($"'{key}' cannot be read: {reason.Message}. {LeftAlone}", reason);

    private SecretPlace? PlaceOf(string key)
    {
        foreach (var place in Places)
        {
            if (key.StartsWith(place.Prefix, StringComparison.Ordinal))
            {
                return place;
            }
        }

        return null;
    }

    private async ValueTask<byte[]> SealAsync(string key, SecretPart part, CancellationToken cancellationToken)
    {
        try
        {
            var ciphertext = await _protectors[^1].ProtectAsync(part.Content, key, cancellationToken);
            byte[] name = Encoding.ASCII.GetBytes(Name), label = Encoding.UTF8.GetBytes(part.Label);
            return [Version, (byte)name.Length, .. name, (byte)label.Length, .. label, .. ciphertext.Span];
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StorageUnavailableException(
                $"'{key}' was not stored, because '{Name}' could not encrypt its private key: {exception.Message}",
                exception as KeyProtectionException ?? new KeyProtectionException(exception.Message, exception));
        }
    }

    private async ValueTask<UnprotectedKey> OpenAsync(
        string key, string name, ReadOnlyMemory<byte> ciphertext, CancellationToken cancellationToken)
    {
        KeyProtectionException? failure = null;
        for (var i = _protectors.Count - 1; i >= 0; i--)
        {
            if (_protectors[i].Name != name)
            {
                continue;
            }

            try
            {
                return await _protectors[i].UnprotectAsync(ciphertext, key, cancellationToken);
            }
            catch (KeyProtectionException exception)
            {
                failure ??= exception;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                failure ??= new KeyProtectionException($"'{name}' could not decrypt its private key: {exception.Message}", exception);
            }
        }

        throw Unreadable(key, failure ?? new KeyProtectionException(
            $"its private key is encrypted by '{name}', and no protector of this name is registered. "
            + $"Register it again, before {Registered()}"));
    }

    private string Registered() => string.Join(", ", _protectors.Select(p => $"'{p.Name}'"));

    private static (string Name, string Label, ReadOnlyMemory<byte> Ciphertext) ReadEnvelope(string key, ReadOnlyMemory<byte> envelope)
    {
        var bytes = envelope.Span;
        if (bytes.Length >= 3 && bytes[0] == Version && bytes.Length >= 3 + bytes[1] && bytes.Length >= 3 + bytes[1] + bytes[2 + bytes[1]])
        {
            var label = bytes.Slice(3 + bytes[1], bytes[2 + bytes[1]]);
            return (
                Encoding.ASCII.GetString(bytes.Slice(2, bytes[1])),
                Encoding.UTF8.GetString(label),
                envelope[(3 + bytes[1] + label.Length)..]);
        }

        throw Unreadable(key, new KeyProtectionException(
            "its encrypted private key is damaged, or of a later version of KestrelAcme. Restore the value from a backup, or delete it"));
    }
}

/// <summary>
/// Wraps a store so that private keys are encrypted in it, whichever store it is. A value that cannot be decrypted is unavailable, never
/// missing. Is itself wrapped by <see cref="BoundedStorage"/>, whose timeout thus applies to the protectors, too.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ProtectedStorage(IAcmeStorage inner, KeyProtection protection) : IAcmeStorage, ILocalStorage
{
    public bool IsLocal => inner is ILocalStorage { IsLocal: true };
    public TimeSpan WatchDelay => inner.WatchDelay;

    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        if (await inner.ReadAsync(key, cancellationToken) is { } value)
        {
            return await protection.OpenAsync(key, value, cancellationToken);
        }

        // Missing. As an operand of ?:, null would become an empty value.
        return null;
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var entry in inner.ReadManyAsync(keys, cancellationToken))
        {
            yield return new StorageEntry(entry.Key, await protection.OpenAsync(entry.Key, entry.Value, cancellationToken));
        }
    }

    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(key, await protection.SealAsync(key, value, cancellationToken), lease, cancellationToken);
        protection.Written(key);
    }

    public ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        protection.Written(key);
        return inner.DeleteAsync(key, lease, cancellationToken);
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
        => inner.WatchAsync(prefix, cancellationToken);

    public ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => inner.TryAcquireLeaseAsync(name, duration, cancellationToken);

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => inner.CheckAsync(cancellationToken);
}
