namespace KestrelAcme.Configuration;

/// <summary>
/// What <c>AddAcmeHttps</c> is told: section <c>AcmeHttps</c> of the configuration, then whatever the app sets in code, which wins.
/// </summary>
/// <remarks>
/// Everything is checked together at start, and each problem names the key, the value and the fix. A list in the configuration replaces the default, it is not added to it.
/// Not thread-safe, and read once per start or reload: changing an instance later changes nothing.
/// </remarks>
public sealed class AcmeHttpsOptions
{
    /// <summary>The section of the app's configuration that is read: <c>AcmeHttps</c>.</summary>
    public const string SectionName = "AcmeHttps";

    /// <summary>Whether anything is done at all. When <see langword="false"/>, nothing else is checked and HTTPS is as it would be without this library.</summary>
    /// <value><see langword="true"/>. A change needs a restart.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Whether the operator accepts the terms of service of every configured authority (RFC 8555 section 7.3).</summary>
    /// <value><see langword="false"/>: no certificate is ordered.</value>
    public bool AcceptTermsOfService { get; set; }

    /// <summary>The address for the authority's notices.</summary>
    /// <value>None. Some authorities require one.</value>
    public string? EmailAddress { get; set; }

    /// <summary>The names and IP addresses to obtain certificates for, one certificate each. Names in Unicode are converted to A-labels.</summary>
    /// <value>Empty.</value>
    public IList<string> DomainNames { get; set; } = [];

    /// <summary>Certificates for several names at once, or with settings of their own.</summary>
    /// <value>Empty.</value>
    public IList<CertificateOptions> Certificates { get; set; } = [];

    /// <summary>The URL of the authority's directory (RFC 8555 section 7.1.1), or a name of <see cref="WellKnownAuthorities"/>.</summary>
    /// <value><see langword="null"/>: <c>LetsEncrypt</c>; in Development none, so that nobody orders from a public authority unawares.</value>
    public string? DirectoryUrl { get; set; }

    /// <summary>
    /// A PEM file with the roots, or intermediates, by which the authority's HTTPS is verified, for a private authority; read again when it
    /// changes. A relative path counts from the content root.
    /// </summary>
    /// <value>None: the machine's roots.</value>
    public string? TrustedRootsPath { get; set; }

    /// <summary>The folder that keeps accounts, keys and certificates. A relative path counts from the content root. It must survive restarts: in a container, mount a volume.</summary>
    /// <value>None: <c>kestrel-acme</c> in the user's application data. A change needs a restart.</value>
    public string? StoragePath { get; set; }

    /// <summary>The challenge types to prove control with: <c>http-01</c>, <c>tls-alpn-01</c>, <c>dns-01</c>, and of drafts <c>dns-account-01</c> and, with <c>AddDnsPersist01()</c>, <c>dns-persist-01</c>; the first that fits a name is used.</summary>
    /// <value><see langword="null"/>: <c>http-01</c>.</value>
    public IList<string>? ChallengeTypes { get; set; }

    /// <summary>The kind of key that certificates are issued for.</summary>
    /// <value><see cref="Configuration.KeyAlgorithm.EcdsaP256"/>.</value>
    public KeyAlgorithm KeyAlgorithm { get; set; } = KeyAlgorithm.EcdsaP256;

    /// <summary>Several kinds of key side by side: one certificate is obtained for each, and a client gets the one that it understands.</summary>
    /// <value><see langword="null"/>: <see cref="KeyAlgorithm"/> alone. When given, it takes that one's place.</value>
    public IList<KeyAlgorithm>? KeyAlgorithms { get; set; }

    /// <summary>The certificate profile to ask for, such as <c>shortlived</c>.</summary>
    /// <value>None: the authority chooses.</value>
    public string? Profile { get; set; }

    /// <summary>The common name of the root that the chain should end in, where the authority offers several chains (RFC 8555 section 7.4.2).</summary>
    /// <value>None: the authority's default chain.</value>
    public string? PreferredChain { get; set; }

    /// <summary>The external account binding, where the authority wants one (RFC 8555 section 7.3.4).</summary>
    /// <value>None.</value>
    public ExternalAccountBindingOptions? ExternalAccountBinding { get; set; }

    /// <summary>
    /// Several authorities, in the order in which they are tried. <see cref="DirectoryUrl"/>, <see cref="TrustedRootsPath"/>, <see cref="ExternalAccountBinding"/>,
    /// <see cref="Profile"/> and <see cref="PreferredChain"/> are the shorthand for a list of one; giving both is an error.
    /// </summary>
    /// <value>Empty.</value>
    public IList<AuthorityOptions> Authorities { get; set; } = [];

    /// <summary>
    /// A folder to which each issued certificate is also written, as <c>name/{cert,chain,fullchain,privkey}.pem</c>, for other programs.
    /// A relative path counts from the content root.
    /// </summary>
    /// <value>None: nothing is exported.</value>
    public string? ExportPath { get; set; }

    /// <summary>
    /// The permissions of exported files, in octal: <c>600</c>, <c>640</c>, <c>400</c> or <c>440</c>. Folders get the matching ones. On Windows it means nothing.
    /// </summary>
    /// <value>None: <c>600</c>, or <c>640</c> with <see cref="ExportGroup"/>; a mode and a group that somebody gave to exported files are kept by renewals.</value>
    public string? ExportFileMode { get; set; }

    /// <summary>The group, by its name or number, that exported files and their folders belong to. The app has to run as one of its members, or as root. On Windows it means nothing.</summary>
    /// <value>None: that of the app, or the one that somebody gave to the files.</value>
    public string? ExportGroup { get; set; }

    /// <summary>
    /// Whether this instance asks for its own http-01 answer before the authority is told to look. A foreign answer is reported and waited on for at most 60 seconds;
    /// a name that cannot be resolved or reached from inside is no reason to wait.
    /// </summary>
    /// <value><see langword="true"/>.</value>
    public bool SelfCheck { get; set; } = true;

    /// <summary>Whether a public authority is ordered from although the store does not survive a restart. Each restart then spends the authority's rate limits.</summary>
    /// <value><see langword="false"/>.</value>
    public bool AllowEphemeralStorage { get; set; }

    /// <summary>Whether this instance orders certificates.</summary>
    /// <value><see cref="IssuanceMode.Automatic"/>.</value>
    public IssuanceMode Issuance { get; set; } = IssuanceMode.Automatic;

    /// <summary>What a client gets for a managed name that has no certificate yet.</summary>
    /// <value><see cref="Configuration.MissingCertificate.Placeholder"/>.</value>
    public MissingCertificate MissingCertificate { get; set; } = MissingCertificate.Placeholder;

    /// <summary>
    /// How many orders are under way at once. One that takes more than 10 seconds gives its place to another, up to four times as many; with 1, there is never more than one.
    /// </summary>
    /// <value>4; from 1 to 100. A change needs a restart.</value>
    public int MaxConcurrentOrders { get; set; } = 4;

    /// <summary>How many certificates are kept ready for handshakes, about 22 KB each; the others are made ready again at need.</summary>
    /// <value>2000; from 16 to 1,000,000. A change needs a restart.</value>
    public int ContextCacheSize { get; set; } = 2000;

    /// <summary>For how many of the busiest certificates TLS sessions can be resumed under any load, about 82 KB each.</summary>
    /// <value>256; from 0 to <see cref="ContextCacheSize"/>. A change needs a restart.</value>
    public int SessionCacheCertificates { get; set; } = 256;

    /// <summary>The name whose certificate a client gets that sends no server name (SNI) and for which nothing else fits.</summary>
    /// <value>None.</value>
    public string? DefaultServerName { get; set; }

    /// <summary>
    /// For clients that send no server name: the local IP address they connected to, and the name or IP address whose certificate they get.
    /// Needed behind NAT, where the local address is not the public one.
    /// </summary>
    /// <value>Empty.</value>
    public IDictionary<string, string> LocalAddressNames { get; set; } = new Dictionary<string, string>();

    /// <summary>Whether a renewal keeps the private key. A new key for each renewal is safer.</summary>
    /// <value><see langword="false"/>.</value>
    public bool ReuseKeys { get; set; }

    /// <summary>The DNS providers that create records for <c>dns-01</c> and <c>dns-account-01</c>: for each name the one with the longest fitting zone.</summary>
    /// <value>Empty.</value>
    public IList<DnsProviderOptions> DnsProviders { get; set; } = [];

    /// <summary>The recursive resolvers that DNS questions go to, in this order: IP addresses, with a port where it is not 53.</summary>
    /// <value>Empty: those of the system.</value>
    public IList<string> DnsResolvers { get; set; } = [];

    /// <summary>What was wrong with the configuration that these options were bound from.</summary>
    internal List<ConfigurationProblem> BindingProblems { get; } = [];
}
