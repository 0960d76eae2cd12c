using KestrelAcme.Protocol.Jose;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>
/// Binds a new ACME account to an existing customer account at the CA (RFC 8555 section 7.3.4, HS256). Disposing it
/// wipes the key from memory.
/// </summary>
public sealed class ExternalAccountBinding : IDisposable
{
    private readonly HmacJwsKey _key;

    /// <summary>Creates a binding from the credentials that the CA issued.</summary>
    /// <param name="keyId">The key identifier.</param>
    /// <param name="hmacKey">The HMAC key in base64url; plain base64 is accepted, too.</param>
    /// <exception cref="ArgumentException">A value is empty, or the key is not base64url.</exception>
    public ExternalAccountBinding(string keyId, string hmacKey)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(keyId);
        ArgumentException.ThrowIfNullOrWhiteSpace(hmacKey);
        KeyId = keyId.Trim();
        _key = HmacJwsKey.FromText(hmacKey);
    }

    /// <summary>The key identifier.</summary>
    public string KeyId { get; }

    /// <summary>Returns the key identifier.</summary>
    public override string ToString() => KeyId;

    /// <summary>Wipes the key from memory.</summary>
    public void Dispose() => _key.Dispose();

    internal byte[] Sign(JwsSigner account, Uri newAccountUrl) =>
        FlattenedJws.ForExternalAccount(_key, KeyId, newAccountUrl, account.Jwk());
}
