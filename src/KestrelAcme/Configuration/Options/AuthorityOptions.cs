namespace KestrelAcme.Configuration;

/// <summary>A CA: an element of <see cref="AcmeHttpsOptions.Authorities"/>, which are tried in order.</summary>
public sealed class AuthorityOptions
{
    /// <summary>The URL of the CA's directory (RFC 8555 section 7.1.1), or one of <see cref="WellKnownAuthorities"/>.</summary>
    /// <value>None: required.</value>
    public string? DirectoryUrl { get; set; }

    /// <summary>
    /// A PEM file with the root or intermediate certificates that verify this CA's own HTTPS. It is read again when it changes. Relative
    /// paths are resolved against the content root.
    /// </summary>
    /// <value>None: the roots that the machine trusts.</value>
    public string? TrustedRootsPath { get; set; }

    /// <summary>The external account binding, if the CA requires one.</summary>
    /// <value>None.</value>
    public ExternalAccountBindingOptions? ExternalAccountBinding { get; set; }

    /// <summary>
    /// A file with the private key of an account that exists at the CA, or that is registered with it: PEM, or a JSON web key such as
    /// <c>private_key.json</c> of certbot. It is used if the store has no account at this CA. Relative paths are resolved against the
    /// content root.
    /// </summary>
    /// <value>None: a key is generated.</value>
    public string? AccountKeyFile { get; set; }

    /// <summary>The certificate profile to request from this CA.</summary>
    /// <value>None: the CA chooses.</value>
    public string? Profile { get; set; }

    /// <summary>
    /// The common name of the root that the chain should lead to, if the CA offers several chains (RFC 8555 section 7.4.2).
    /// </summary>
    /// <value>None: the CA's default chain.</value>
    public string? PreferredChain { get; set; }

    /// <summary>The e-mail address for this CA's notices.</summary>
    /// <value>None: <see cref="AcmeHttpsOptions.EmailAddress"/>.</value>
    public string? EmailAddress { get; set; }
}

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
