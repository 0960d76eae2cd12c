using KestrelAcme.Protocol.Jose;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>A customer account of the authority to bind a new ACME account to (RFC 8555 section 7.3.4, HS256). The key is wiped when this is disposed.</summary>
public sealed class ExternalAccountBinding : IDisposable
{
    private readonly HmacJwsKey _key;

    /// <summary>Makes a binding from what the authority handed out.</summary>
    /// <param name="keyId">The key identifier.</param>
    /// <param name="hmacKey">The HMAC key in base64url; plain base64 is read too.</param>
    /// <exception cref="ArgumentException">One of them is empty, or the key is not base64url.</exception>
    public ExternalAccountBinding(string keyId, string hmacKey)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyId);
        ArgumentException.ThrowIfNullOrWhiteSpace(hmacKey);
        KeyId = keyId.Trim();
        _key = HmacJwsKey.FromText(hmacKey);
    }

    /// <summary>The key identifier.</summary>
    public string KeyId { get; }

    /// <summary>The key identifier alone.</summary>
    public override string ToString() => KeyId;

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _key.Dispose();

    internal byte[] Sign(JwsSigner account, Uri newAccountUrl) => FlattenedJws.ForExternalAccount(_key, KeyId, newAccountUrl, account.Jwk());
}
