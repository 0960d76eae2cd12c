namespace KestrelAcme.Configuration;

/// <summary>One certificate for several names, or for one name with settings of its own.</summary>
public sealed class CertificateOptions
{
    /// <summary>The names and IP addresses of the certificate, at most 100. One that cannot be validated holds up the others.</summary>
    /// <value>Empty: at least one is required.</value>
    public IList<string> DomainNames { get; set; } = [];

    /// <summary>The kinds of key; one certificate is obtained for each.</summary>
    /// <value><see langword="null"/>: those of <see cref="AcmeHttpsOptions"/>.</value>
    public IList<KeyAlgorithm>? KeyAlgorithms { get; set; }

    /// <summary>The certificate profile to ask for.</summary>
    /// <value>None: the authority's (<see cref="AcmeHttpsOptions.Profile"/> or <see cref="AuthorityOptions.Profile"/>).</value>
    public string? Profile { get; set; }

    /// <summary>The common name of the root that the chain should end in, where the authority offers several.</summary>
    /// <value>None: the authority's (<see cref="AcmeHttpsOptions.PreferredChain"/> or <see cref="AuthorityOptions.PreferredChain"/>).</value>
    public string? PreferredChain { get; set; }

    /// <summary>The challenge types to prove control with, the first that fits a name is used.</summary>
    /// <value><see langword="null"/>: <see cref="AcmeHttpsOptions.ChallengeTypes"/>.</value>
    public IList<string>? ChallengeTypes { get; set; }
}
