using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KestrelAcme.Storage.Protection;

/// <summary>
/// Encrypts keys for the holder of a certificate: with AES-256-GCM, and a data key that is encrypted with the certificate's RSA key
/// (OAEP, SHA-256). A process uses one data key for all that it writes, so that ten thousand values cost one RSA operation.
/// </summary>
/// <remarks>
/// The ciphertext is a version, the SHA-256 of the certificate's public key, the encrypted data key with its length, a nonce, a tag, and
/// the encrypted key. The purpose is the associated data. Safe for concurrent use.
/// </remarks>
internal sealed class CertificateKeyProtector : IKeyProtector
{
    private const byte Version = 1;
    private const int HashLength = 32;
    private const int HeaderLength = 1 + HashLength + sizeof(ushort);
    private const int NonceLength = 12;
    private const int TagLength = 16;

    // Other instances and earlier processes have data keys of their own.
    private const int MaxDataKeys = 10_000;

    private readonly Lock _lock = new();
    private readonly List<(byte[] Id, RSA Key)> _recipients = [];
    private readonly ConcurrentDictionary<string, byte[]> _dataKeys = new(StringComparer.Ordinal);
    private readonly byte[] _dataKey = RandomNumberGenerator.GetBytes(32);
    private readonly byte[] _header;

    /// <param name="current">Encrypts and decrypts.</param>
    /// <param name="earlier">Only decrypt.</param>
    /// <exception cref="ArgumentException">A certificate cannot be used for this.</exception>
    public CertificateKeyProtector(X509Certificate2 current, IReadOnlyList<X509Certificate2> earlier)
    {
        foreach (var certificate in (IEnumerable<X509Certificate2>)[current, .. earlier])
        {
            var key = certificate.GetRSAPrivateKey() ?? throw new ArgumentException(
                $"The certificate '{certificate.Subject}' has no RSA private key, so it cannot decrypt the keys in the store. "
                + "Load it with its key, such as with X509CertificateLoader.LoadPkcs12FromFile; a certificate with another kind of key "
                + "cannot be used.");
            if (key.KeySize < 2048)
            {
                throw new ArgumentException(
                    $"The RSA key of the certificate '{certificate.Subject}' has {key.KeySize} bits, and at least 2048 are needed.");
            }

            _recipients.Add((SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()), key));
        }

        var wrapped = _recipients[0].Key.Encrypt(_dataKey, RSAEncryptionPadding.OaepSHA256);
        _header = new byte[HeaderLength + wrapped.Length];
        _header[0] = Version;
        _recipients[0].Id.CopyTo(_header, 1);
        BinaryPrimitives.WriteUInt16BigEndian(_header.AsSpan(1 + HashLength), (ushort)wrapped.Length);
        wrapped.CopyTo(_header, HeaderLength);
    }

    public string Name => "certificate";

    public ValueTask<ReadOnlyMemory<byte>> ProtectAsync(
        ReadOnlyMemory<byte> key, string purpose, CancellationToken cancellationToken = default)
    {
        var result = new byte[_header.Length + NonceLength + TagLength + key.Length];
        _header.CopyTo(result, 0);
        var nonce = result.AsSpan(_header.Length, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_dataKey, TagLength);
        aes.Encrypt(
            nonce,
            key.Span,
            result.AsSpan(_header.Length + NonceLength + TagLength),
            result.AsSpan(_header.Length + NonceLength, TagLength),
            Encoding.UTF8.GetBytes(purpose));
        return new(result);
    }

    public ValueTask<UnprotectedKey> UnprotectAsync(
        ReadOnlyMemory<byte> protectedKey, string purpose, CancellationToken cancellationToken = default)
    {
        var bytes = protectedKey.Span;
        var wrappedLength = bytes.Length < HeaderLength ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes[(1 + HashLength)..]);
        if (bytes.Length < HeaderLength + wrappedLength + NonceLength + TagLength || bytes[0] != Version)
        {
            throw Damaged();
        }

        var id = bytes.Slice(1, HashLength).ToArray();
        var recipient = _recipients.FindIndex(r => r.Id.AsSpan().SequenceEqual(id));
        if (recipient < 0)
        {
            throw new KeyProtectionException(
                "its private key is encrypted for another certificate, whose public key has the SHA-256 "
                + $"{Convert.ToHexStringLower(id)}. Pass that certificate to ProtectKeysWithCertificate, after the current one");
        }

        try
        {
            var sealedKey = bytes[(HeaderLength + wrappedLength)..];
            var key = new byte[sealedKey.Length - NonceLength - TagLength];
            using var aes = new AesGcm(DataKey(bytes.Slice(HeaderLength, wrappedLength), _recipients[recipient].Key), TagLength);
            aes.Decrypt(
                sealedKey[..NonceLength],
                sealedKey[(NonceLength + TagLength)..],
                sealedKey.Slice(NonceLength, TagLength),
                key,
                Encoding.UTF8.GetBytes(purpose));
            return new(new UnprotectedKey(key, IsOutdated: recipient > 0));
        }
        catch (CryptographicException exception)
        {
            throw Damaged(exception);
        }
    }

    private static KeyProtectionException Damaged(Exception? exception = null) => new(
        "its encrypted private key was changed, or copied from another value. Restore the value from a backup, or delete it", exception);

    private byte[] DataKey(ReadOnlySpan<byte> wrapped, RSA recipient)
    {
        if (wrapped.SequenceEqual(_header.AsSpan(HeaderLength)))
        {
            return _dataKey;
        }

        var id = Convert.ToHexString(SHA256.HashData(wrapped));
        if (_dataKeys.TryGetValue(id, out var known))
        {
            return known;
        }

        lock (_lock)
        {
            var dataKey = recipient.Decrypt(wrapped, RSAEncryptionPadding.OaepSHA256);
            if (_dataKeys.Count < MaxDataKeys)
            {
                _dataKeys[id] = dataKey;
            }

            return dataKey;
        }
    }
}
