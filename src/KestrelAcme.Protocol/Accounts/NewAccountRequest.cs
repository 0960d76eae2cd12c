using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Jose;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>The properties of a new account (RFC 8555 section 7.3).</summary>
public sealed record NewAccountRequest
{
    /// <summary>Contacts for the CA: e-mail addresses, or URLs such as <c>mailto:admin@example.com</c>.</summary>
    /// <value>Empty by default: no contacts.</value>
    public IReadOnlyList<string> Contacts { get; init; } = [];

    /// <summary>Whether the user agrees to the terms of service that the directory links to. Most CAs require it.</summary>
    /// <value><see langword="false"/> by default.</value>
    public bool TermsOfServiceAgreed { get; init; }

    /// <summary>The binding to a customer account, if the CA requires one.</summary>
    /// <value><see langword="null"/> by default: none.</value>
    public ExternalAccountBinding? ExternalAccountBinding { get; init; }
}

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

/// <summary>Converts configured contacts to contact URLs.</summary>
internal static class ContactUrls
{
    /// <summary>Turns e-mail addresses into mailto URLs (RFC 8555 section 7.3) and keeps URLs.</summary>
    public static IReadOnlyList<string> Normalize(IReadOnlyList<string> contacts)
    {
        ArgumentNullException.ThrowIfNull(contacts);
        return [.. contacts.Select(Normalize)];
    }

    private static string Normalize(string contact)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(contact);
        var text = contact.Trim();
        if (text.Contains('@', StringComparison.Ordinal)
            && !text.Contains("://", StringComparison.Ordinal)
            && !text.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
        {
            return "mailto:" + text;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out _)
            ? text
            : throw new ArgumentException(
                $"\"{QuotedText.Of(contact, QuotedText.MaxNameLength)}\" is neither an e-mail address nor a URL.");
    }
}
