namespace KestrelAcme.Configuration;

/// <summary>One ACME authority, in the order in which they are tried.</summary>
public sealed class AuthorityOptions
{
    /// <summary>The URL of the directory (RFC 8555 section 7.1.1), or a name of <see cref="WellKnownAuthorities"/>.</summary>
    /// <value>None: required.</value>
    public string? DirectoryUrl { get; set; }

    /// <summary>
    /// A PEM file with the roots, or intermediates, by which this authority's HTTPS is verified; read again when it changes. A relative
    /// path counts from the content root.
    /// </summary>
    /// <value>None: the machine's roots.</value>
    public string? TrustedRootsPath { get; set; }

    /// <summary>The external account binding, where the authority wants one.</summary>
    /// <value>None.</value>
    public ExternalAccountBindingOptions? ExternalAccountBinding { get; set; }

    /// <summary>The certificate profile to ask this authority for.</summary>
    /// <value>None: the authority chooses.</value>
    public string? Profile { get; set; }

    /// <summary>The common name of the root that the chain should end in, where the authority offers several chains (RFC 8555 section 7.4.2).</summary>
    /// <value>None: the authority's default chain.</value>
    public string? PreferredChain { get; set; }

    /// <summary>The address for this authority's notices.</summary>
    /// <value>None: <see cref="AcmeHttpsOptions.EmailAddress"/>.</value>
    public string? EmailAddress { get; set; }
}
