using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// The account key that this process uses at a CA. Someone who can only write to the store cannot replace it: a stored key is taken over
/// only if the instance that replaced it knew the key that this process holds, or if the CA no longer accepts that one.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class HeldAccountKey(StoredAccount store, TimeProvider time, ILogger logger)
{
    // Records of challenges that name another key cost one read in this time.
    private static readonly TimeSpan BetweenReads = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Held? _held;
    private long? _readAt;
    private string? _reported;

    /// <summary>The thumbprint of the key; <see langword="null"/> if this process has none yet.</summary>
    public string? Thumbprint => Volatile.Read(ref _held)?.Thumbprint;

    /// <summary>The last stored account that was accepted; <see langword="null"/> if the key came from elsewhere.</summary>
    public AccountRecord? Record => Volatile.Read(ref _held)?.Record;

    /// <summary>Holds a key that this process created, or that the CA accepted.</summary>
    public void Hold(string keyPem)
    {
        using var key = AccountKey.FromPem(keyPem);
        lock (_lock)
        {
            _held = Of(key, record: null);
        }
    }

    /// <summary>Whether a stored account may be used. It is held if this process has none yet, or if the held key vouches for it.</summary>
    public bool Accepts(AccountRecord stored)
    {
        using var key = AccountKey.FromPem(stored.PrivateKeyPem);
        lock (_lock)
        {
            if (_held is { } held && held.Thumbprint != key.Thumbprint && !IsSuccessor(held, key, stored.Metadata))
            {
                if (_reported != key.Thumbprint)
                {
                    _reported = key.Thumbprint;
                    logger.AccountKeyNotProved(store.Authority.DirectoryUrl);
                }

                return false;
            }

            _held = Of(key, stored);
            return true;
        }
    }

    /// <summary>
    /// Returns the thumbprint, and reads the stored account if this process has none, or if a challenge suggests another.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<string?> LoadAsync(Func<string, bool> suits, CancellationToken cancellationToken)
    {
        if (Thumbprint is { } held && (suits(held) || !MayRead()))
        {
            return held;
        }

        // A key without an account is about to be registered.
        if (await store.ReadAsync(cancellationToken) is { } stored)
        {
            Accepts(stored);
        }

        return Thumbprint;
    }

    /// <summary>
    /// Proves to the instances that hold a key that its replacement was made with knowledge of it: a MAC over the new key under the old
    /// one.
    /// </summary>
    public static string Vouch(string oldKeyPem, string newKeyPem, Uri directoryUrl)
    {
        using var oldKey = AccountKey.FromPem(oldKeyPem);
        using var newKey = AccountKey.FromPem(newKeyPem);
        return Vouch(SecretOf(oldKey), newKey, directoryUrl);
    }

    private static string Vouch(byte[] secret, AccountKey newKey, Uri directoryUrl)
        => Base64Url.EncodeToString(HMACSHA256.HashData(
            secret, Encoding.UTF8.GetBytes($"KestrelAcme account key\n{directoryUrl.AbsoluteUri}\n{newKey.Thumbprint}")));

    private static bool IsSuccessor(Held held, AccountKey key, AccountMetadata metadata)
        => metadata.Voucher is { } voucher
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(voucher), Encoding.UTF8.GetBytes(Vouch(held.Secret, key, metadata.DirectoryUrl)));

    private static Held Of(AccountKey key, AccountRecord? record) => new(key.Thumbprint, SecretOf(key), record);

    private static byte[] SecretOf(AccountKey key) => SHA256.HashData(Encoding.UTF8.GetBytes(key.ExportPkcs8Pem()));

    private bool MayRead()
    {
        lock (_lock)
        {
            if (_readAt is { } at && time.GetElapsedTime(at) < BetweenReads)
            {
                return false;
            }

            _readAt = time.GetTimestamp();
            return true;
        }
    }

    private sealed class Held(string thumbprint, byte[] secret, AccountRecord? record)
    {
        public string Thumbprint => thumbprint;

        public byte[] Secret => secret;

        public AccountRecord? Record => record;
    }
}
