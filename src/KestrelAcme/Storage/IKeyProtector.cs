using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>
/// Encrypts the private keys in the store, such as with a key management service. Where values are stored (<see cref="IAcmeStorage"/>) and
/// how the keys in them are protected are independent choices.
/// </summary>
/// <remarks>
/// <para>
/// KestrelAcme calls it for each private key that it reads or writes: keys of certificates, of orders and of accounts, and passwords of
/// acme-dns registrations. With many certificates, an implementation SHOULD therefore encrypt with a data key of its own, and ask the
/// service for that key only once.
/// </para>
/// <para>
/// The purpose is the key of the value in the store. An implementation MUST bind the ciphertext to it, for example as the associated data
/// of an AEAD, so that a ciphertext that was copied to another value is refused.
/// </para>
/// <para>
/// What cannot be decrypted is never treated as missing: nothing is ordered, replaced or deleted because of it. All members MUST be safe
/// for concurrent use, MUST honor their cancellation tokens, and MUST NOT log keys.
/// </para>
/// </remarks>
public interface IKeyProtector
{
    /// <summary>
    /// The name that is stored with each ciphertext, so that it is decrypted by the same protector later: 1 to 64 lower-case letters,
    /// digits and hyphens. It MUST NOT change.
    /// </summary>
    string Name { get; }

    /// <summary>Encrypts a key.</summary>
    /// <param name="key">The key. It must not be kept after the call.</param>
    /// <param name="purpose">What the ciphertext is bound to.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="KeyProtectionException">The key could not be encrypted. Nothing is stored then.</exception>
    ValueTask<ReadOnlyMemory<byte>> ProtectAsync(
        ReadOnlyMemory<byte> key, string purpose, CancellationToken cancellationToken = default);

    /// <summary>Decrypts a key.</summary>
    /// <param name="protectedKey">What <see cref="ProtectAsync"/> returned.</param>
    /// <param name="purpose">What the ciphertext was bound to.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="KeyProtectionException">
    /// The key could not be decrypted. The message says why, and what the operator can do.
    /// </exception>
    ValueTask<UnprotectedKey> UnprotectAsync(
        ReadOnlyMemory<byte> protectedKey, string purpose, CancellationToken cancellationToken = default);
}

/// <summary>A decrypted key.</summary>
/// <param name="Key">The key.</param>
/// <param name="IsOutdated">
/// Whether it should be encrypted again, because the key that encrypts is not the one that encrypted it. KestrelAcme rewrites the value.
/// </param>
public readonly record struct UnprotectedKey(ReadOnlyMemory<byte> Key, bool IsOutdated = false)
{
    /// <summary>Returns the length of the key, never the key.</summary>
    public override string ToString() => $"{Key.Length} bytes";
}

/// <summary>Thrown if a private key could not be encrypted or decrypted.</summary>
public sealed class KeyProtectionException : Exception
{
    /// <summary>Creates the exception with a message that names the reason and the fix, and contains no secret.</summary>
    public KeyProtectionException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }
}
