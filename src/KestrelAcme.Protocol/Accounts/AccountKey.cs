using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>The key pair of an account. Never use it for a certificate. Thread-safe, except for <see cref="Dispose"/>.</summary>
public sealed class AccountKey : IDisposable
{
    private const int NewRsaKeySize = 3072;

    private readonly AsymmetricAlgorithm _key;

    private AccountKey(AsymmetricAlgorithm key)
    {
        _key = key;
        Signer = JwsSigner.For(key);
        Algorithm = Enum.Parse<AccountKeyAlgorithm>(Signer.Algorithm);
    }

    /// <summary>The algorithm.</summary>
    public AccountKeyAlgorithm Algorithm { get; }

    /// <summary>The thumbprint of the public key (RFC 7638), base64url.</summary>
    public string Thumbprint => Signer.Thumbprint;

    internal JwsSigner Signer { get; }

    /// <summary>Generates a new key.</summary>
    /// <param name="algorithm">The algorithm.</param>
    public static AccountKey Generate(AccountKeyAlgorithm algorithm = AccountKeyAlgorithm.ES256) => Own(algorithm switch
    {
        AccountKeyAlgorithm.ES256 => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        AccountKeyAlgorithm.ES384 => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        AccountKeyAlgorithm.RS256 => RSA.Create(NewRsaKeySize),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Account keys use ES256, ES384 or RS256."),
    });

    /// <summary>Reads an unencrypted private key: PKCS #8, or the older EC and RSA formats.</summary>
    /// <param name="pem">The key in PEM.</param>
    /// <exception cref="ArgumentException">
    /// The text holds no private key, several keys, an encrypted key, or a key that cannot be used for an account.
    /// </exception>
    public static AccountKey FromPem(ReadOnlySpan<char> pem)
    {
        // A PKCS #8 label does not say which kind of key it is, so both are tried. No inner exception: nothing of a key may reach a log.
        return TryImport(ECDsa.Create(), pem) ?? TryImport(RSA.Create(), pem) ?? throw new ArgumentException(
            "The PEM text holds no usable private key: one ECDSA or RSA key without a password is expected.", nameof(pem));
    }

    /// <summary>Exports the private key as PKCS #8 in PEM, unencrypted. Keep it secret.</summary>
    public string ExportPkcs8Pem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>
    /// Computes the key authorization of a challenge (RFC 8555 section 8.1), which proves that the response belongs to
    /// this account.
    /// </summary>
    /// <param name="token">The token of the challenge.</param>
    /// <exception cref="ArgumentException">The token has characters that RFC 8555 does not allow.</exception>
    public string KeyAuthorization(string token) => ChallengeToken.IsValid(token)
        ? $"{token}.{Thumbprint}"
        : throw new ArgumentException("The token is empty, too long, or has characters other than A-Z a-z 0-9 - _.", nameof(token));

    /// <summary>Computes the value of the TXT record for a dns-01 challenge (RFC 8555 section 8.4).</summary>
    /// <param name="token">The token of the challenge.</param>
    /// <exception cref="ArgumentException">The token has characters that RFC 8555 does not allow.</exception>
    public string DnsRecordValue(string token) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(KeyAuthorization(token))));

    /// <summary>Whether a certificate's key is this same key. CAs reject such certificates.</summary>
    /// <param name="key">The other key: ECDSA on P-256 or P-384, or RSA.</param>
    public bool IsSameKey(AsymmetricAlgorithm key) => JwsSigner.For(key).Thumbprint == Thumbprint;

    /// <summary>The algorithm and the thumbprint.</summary>
    public override string ToString() => $"{Algorithm} {Thumbprint}";

    /// <summary>Disposes the key.</summary>
    public void Dispose() => _key.Dispose();

    private static AccountKey Own(AsymmetricAlgorithm key)
    {
        try
        {
            return new AccountKey(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static AccountKey? TryImport(AsymmetricAlgorithm key, ReadOnlySpan<char> pem)
    {
        try
        {
            key.ImportFromPem(pem);
            // Throws if the key is public.
            CryptographicOperations.ZeroMemory(key.ExportPkcs8PrivateKey());
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            key.Dispose();
            return null;
        }

        return Own(key);
    }
}

/// <summary>The algorithms of account keys (RFC 7518 section 3.1).</summary>
public enum AccountKeyAlgorithm
{
    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    ES256,

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    ES384,

    /// <summary>RSA with SHA-256 (PKCS #1 v1.5); new keys have 3072 bits.</summary>
    RS256,
}

/// <summary>Changes the key of an account (RFC 8555 section 7.3.5).</summary>
internal static class KeyChange
{
    public static async Task<AcmeAccount> RunAsync(AcmeAccount account, AccountKey newKey, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(newKey);
        var directory = await account.Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var url = directory.KeyChange ?? throw AcmeClient.NotOffered("Changing the account's key", "keyChange", directory.Url);
        using var oldKey = JsonDocument.Parse(account.Key.Signer.Jwk());
        var change = new KeyChangePayload { Account = account.Url.OriginalString, OldKey = oldKey.RootElement };
        var newSender = new JwsSender(newKey.Signer, AccountUrl: null);
        var json = JsonSerializer.SerializeToUtf8Bytes(change, AcmeJson.Default.KeyChangePayload);
        var inner = FlattenedJws.ForRequest(newSender, url, nonce: null, json);
        var call = new AcmeCall("Changing the account's key", url) { IsRepeatable = false };
        var renewed = new AcmeAccount(account.Client, newKey, account.Url, isNew: false);
        try
        {
            await account.Client.PostAsync(call, account.Sender, inner, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.RequestMayHaveBeenProcessed)
        {
            if (!await IsKnownAsync(renewed, cancellationToken).ConfigureAwait(false))
            {
                throw;
            }
        }

        return renewed;
    }

    private static async Task<bool> IsKnownAsync(AcmeAccount account, CancellationToken cancellationToken)
    {
        try
        {
            var found = await account.Client.FindAccountAsync(account.Key, cancellationToken).ConfigureAwait(false);
            return found.Url == account.Url;
        }
        catch (AcmeException)
        {
            // The caller gets the first failure, which says that the result is uncertain.
            return false;
        }
    }
}
