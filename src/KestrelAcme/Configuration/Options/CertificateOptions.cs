namespace KestrelAcme.Configuration;

/// <summary>
/// A certificate with several names, or with settings of its own: an element of <see cref="AcmeHttpsOptions.Certificates"/>.
/// </summary>
public sealed class CertificateOptions
{
    /// <summary>
    /// The domain names and IP addresses of the certificate, at most 100. If one of them cannot be validated, the whole certificate is not
    /// issued.
    /// </summary>
    /// <value>Empty: at least one is required.</value>
    public IList<string> DomainNames { get; set; } = [];

    /// <summary>The types of key. KestrelAcme obtains one certificate for each.</summary>
    /// <value><see langword="null"/>: those of <see cref="AcmeHttpsOptions"/>.</value>
    public IList<KeyAlgorithm>? KeyAlgorithms { get; set; }

    /// <summary>The certificate profile to request.</summary>
    /// <value>None: that of the CA (<see cref="AcmeHttpsOptions.Profile"/> or <see cref="AuthorityOptions.Profile"/>).</value>
    public string? Profile { get; set; }

    /// <summary>The common name of the root that the chain should lead to, if the CA offers several chains.</summary>
    /// <value>
    /// None: that of the CA (<see cref="AcmeHttpsOptions.PreferredChain"/> or <see cref="AuthorityOptions.PreferredChain"/>).
    /// </value>
    public string? PreferredChain { get; set; }

    /// <summary>The challenge types to use, in order of preference. KestrelAcme uses the first type that fits a name.</summary>
    /// <value><see langword="null"/>: <see cref="AcmeHttpsOptions.ChallengeTypes"/>.</value>
    public IList<string>? ChallengeTypes { get; set; }
}

/// <summary>The type of key in a certificate.</summary>
public enum KeyAlgorithm
{
    /// <summary>ECDSA with the curve P-256: small, fast, and supported by every client of the last ten years. The default.</summary>
    EcdsaP256,

    /// <summary>ECDSA with the curve P-384.</summary>
    EcdsaP384,

    /// <summary>RSA with 2048 bits, for clients without ECDSA.</summary>
    Rsa2048,

    /// <summary>RSA with 3072 bits.</summary>
    Rsa3072,

    /// <summary>RSA with 4096 bits. Handshakes are slow.</summary>
    Rsa4096,
}
