namespace KestrelAcme.Configuration;

/// <summary>Credentials from the CA that bind an ACME account to an existing account at the CA (RFC 8555 section 7.3.4).</summary>
public sealed class ExternalAccountBindingOptions
{
    /// <summary>The key identifier.</summary>
    /// <value>None.</value>
    public string? KeyId { get; set; }

    /// <summary>
    /// The MAC key, base64url-encoded, as issued by the CA. It is a secret and never logged. Keep it out of version control.
    /// </summary>
    /// <value>None. Set this or <see cref="HmacKeyFile"/>.</value>
    public string? HmacKey { get; set; }

    /// <summary>
    /// A file with the base64url-encoded MAC key, such as a mounted secret. Relative paths are resolved against the content root.
    /// </summary>
    /// <value>None. Set this or <see cref="HmacKey"/>.</value>
    public string? HmacKeyFile { get; set; }

    /// <summary>Returns the key identifier, never the key.</summary>
    public override string ToString() => $"external account '{KeyId}'";
}
