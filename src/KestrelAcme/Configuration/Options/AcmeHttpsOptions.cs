namespace KestrelAcme.Configuration;

/// <summary>
/// Options for automatic HTTPS: the section <c>AcmeHttps</c> of the configuration, then the values that the app sets in code, which win.
/// </summary>
/// <remarks>
/// All options are validated at start. Every problem is reported, with the key, the value and the fix. A list in the configuration replaces
/// the default list. Options are read once at start and once for each reload: changing an instance later has no effect. Not thread-safe.
/// </remarks>
public sealed class AcmeHttpsOptions
{
    /// <summary>The name of the configuration section: <c>AcmeHttps</c>.</summary>
    public const string SectionName = "AcmeHttps";

    /// <summary>
    /// Enables automatic HTTPS. If <see langword="false"/>, no other option is checked, and HTTPS works as it would without this library.
    /// </summary>
    /// <value><see langword="true"/>. A change needs a restart.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>Accepts the terms of service of every configured CA (RFC 8555 section 7.3).</summary>
    /// <value><see langword="false"/>: no certificate is ordered.</value>
    public bool AcceptTermsOfService { get; set; }

    /// <summary>The e-mail address for notices from the CA.</summary>
    /// <value>None. Some CAs require one.</value>
    public string? EmailAddress { get; set; }

    /// <summary>
    /// The domain names and IP addresses to obtain certificates for, one certificate each. Unicode names are converted to A-labels. In the
    /// configuration: a list, one text with commas, or an object with the names as keys.
    /// </summary>
    /// <value>Empty.</value>
    public IList<string> DomainNames { get; set; } = [];

    /// <summary>Certificates with several names, or with settings of their own.</summary>
    /// <value>Empty.</value>
    public IList<CertificateOptions> Certificates { get; set; } = [];

    /// <summary>The URL of the CA's directory (RFC 8555 section 7.1.1), or one of <see cref="WellKnownAuthorities"/>.</summary>
    /// <value>
    /// <see langword="null"/>: <c>LetsEncrypt</c>; in Development no CA, so that nobody orders from a public CA by accident.
    /// </value>
    public string? DirectoryUrl { get; set; }

    /// <summary>
    /// A PEM file with the root or intermediate certificates that verify a private CA's own HTTPS. It is read again when it changes.
    /// Relative paths are resolved against the content root.
    /// </summary>
    /// <value>None: the roots that the machine trusts.</value>
    public string? TrustedRootsPath { get; set; }

    /// <summary>
    /// The folder for accounts, keys and certificates. Relative paths are resolved against the content root. The folder must survive
    /// restarts: in a container, mount a volume.
    /// </summary>
    /// <value>None: <c>kestrel-acme</c> in the user's application data. A change needs a restart.</value>
    public string? StoragePath { get; set; }

    /// <summary>
    /// The challenge types to use, in order of preference: <c>http-01</c>, <c>tls-alpn-01</c>, <c>dns-01</c>, and from drafts
    /// <c>dns-account-01</c> and, after <c>AddDnsPersist01()</c>, <c>dns-persist-01</c>. KestrelAcme uses the first type that fits a name.
    /// </summary>
    /// <value><see langword="null"/>: <c>http-01</c>.</value>
    public IList<string>? ChallengeTypes { get; set; }

    /// <summary>The type of key in the certificates.</summary>
    /// <value><see cref="Configuration.KeyAlgorithm.EcdsaP256"/>.</value>
    public KeyAlgorithm KeyAlgorithm { get; set; } = KeyAlgorithm.EcdsaP256;

    /// <summary>
    /// Several types of key side by side. KestrelAcme obtains one certificate for each, and each client gets the one that it supports.
    /// </summary>
    /// <value><see langword="null"/>: only <see cref="KeyAlgorithm"/>. If set, <see cref="KeyAlgorithm"/> is ignored.</value>
    public IList<KeyAlgorithm>? KeyAlgorithms { get; set; }

    /// <summary>The certificate profile to request, such as <c>shortlived</c>.</summary>
    /// <value>None: the CA chooses.</value>
    public string? Profile { get; set; }

    /// <summary>
    /// The common name of the root that the chain should lead to, if the CA offers several chains (RFC 8555 section 7.4.2).
    /// </summary>
    /// <value>None: the CA's default chain.</value>
    public string? PreferredChain { get; set; }

    /// <summary>The external account binding, if the CA requires one (RFC 8555 section 7.3.4).</summary>
    /// <value>None.</value>
    public ExternalAccountBindingOptions? ExternalAccountBinding { get; set; }

    /// <summary>
    /// A file with the private key of an account that exists at the CA, or that is registered with it: PEM, or a JSON web key such as
    /// <c>private_key.json</c> of certbot. It is used if the store has no account at this CA. Relative paths are resolved against the
    /// content root.
    /// </summary>
    /// <value>None: a key is generated.</value>
    public string? AccountKeyFile { get; set; }

    /// <summary>
    /// Several CAs, tried in this order. <see cref="DirectoryUrl"/>, <see cref="TrustedRootsPath"/>, <see cref="ExternalAccountBinding"/>,
    /// <see cref="Profile"/> and <see cref="PreferredChain"/> are a shorthand for a list of one. Setting both is an error.
    /// </summary>
    /// <value>Empty.</value>
    public IList<AuthorityOptions> Authorities { get; set; } = [];

    /// <summary>
    /// Folders of other ACME clients: Certbot, LettuceEncrypt, AutoHttps, Posh-ACME and Caddy. At start, KestrelAcme takes over their
    /// certificates for the configured names, unless the store has newer ones, and their account at each CA where it has none yet. It never
    /// changes these folders. In the configuration, an entry may be only the path.
    /// </summary>
    /// <value>Empty. A change needs a restart.</value>
    public IList<ImportOptions> ImportFrom { get; set; } = [];

    /// <summary>
    /// A folder to export certificates to for other programs, as <c>name/{cert,chain,fullchain,privkey}.pem</c>, swapped atomically.
    /// Relative paths are resolved against the content root.
    /// </summary>
    /// <value>None: nothing is exported.</value>
    public string? ExportPath { get; set; }

    /// <summary>
    /// The permissions of exported files, in octal: <c>600</c>, <c>640</c>, <c>400</c> or <c>440</c>. Folders get matching permissions. Has
    /// no effect on Windows.
    /// </summary>
    /// <value>
    /// None: <c>600</c>, or <c>640</c> with <see cref="ExportGroup"/>. A mode or group that was set on exported files by hand survives
    /// renewals.
    /// </value>
    public string? ExportFileMode { get; set; }

    /// <summary>
    /// The group, by name or number, of exported files and their folders. The app must run as a member of the group, or as root. Has no
    /// effect on Windows.
    /// </summary>
    /// <value>None: the app's group, or the group that was set on the files by hand.</value>
    public string? ExportGroup { get; set; }

    /// <summary>
    /// Whether KestrelAcme requests its own http-01 response before it submits the challenge. If something else responds, it logs a warning
    /// and waits for at most 60 seconds. It does not wait if the name cannot be resolved or reached from inside the network.
    /// </summary>
    /// <value><see langword="true"/>.</value>
    public bool SelfCheck { get; set; } = true;

    /// <summary>
    /// Whether every well-formed <c>http-01</c> token that is requested for a managed name is returned with the thumbprint of the account,
    /// without looking it up. For instances that use the same account key but share no store. With several CAs, it is the account at the
    /// first one.
    /// </summary>
    /// <value><see langword="false"/>: only tokens of open challenges are returned.</value>
    public bool Http01Stateless { get; set; }

    /// <summary>
    /// Allows orders from a public CA although the store does not survive a restart. Every restart then uses up rate limits of the CA.
    /// </summary>
    /// <value><see langword="false"/>.</value>
    public bool AllowEphemeralStorage { get; set; }

    /// <summary>
    /// Whether the methods <c>ProtectKeysWith...</c> encrypt private keys in the store. If <see langword="false"/>, they only decrypt, and
    /// keys that are encrypted are stored unencrypted again: to turn protection off, or to prepare all instances before it is turned on.
    /// Without one of these methods, keys are not encrypted. A change needs a restart.
    /// </summary>
    /// <value><see langword="true"/>.</value>
    public bool ProtectKeys { get; set; } = true;

    /// <summary>
    /// Whether <see cref="ExportPath"/> also gets <c>certificate.pfx</c>, with the certificate, its chain and its private key (PKCS #12,
    /// AES-256).
    /// </summary>
    /// <value><see langword="false"/>.</value>
    public bool ExportPfx { get; set; }

    /// <summary>
    /// A file with the password of <c>certificate.pfx</c>. Relative paths are resolved against the content root.
    /// </summary>
    /// <value>None: the password is empty.</value>
    public string? ExportPfxPasswordFile { get; set; }

    /// <summary>A program that is run after the files below <see cref="ExportPath"/> have changed.</summary>
    /// <value>None.</value>
    public ExportHookOptions? ExportHook { get; set; }

    /// <summary>
    /// The longest time that the start of the host waits until there is a certificate for each configured name. If it is over, the start
    /// fails, and the message names what is missing and why. Kestrel listens while the start waits, because the CA has to reach it; the
    /// app is not reported as started (<c>ApplicationStarted</c>), and <c>StartAsync</c> does not return. For blue/green deployments.
    /// </summary>
    /// <value>None: the start does not wait. Allowed: 1 second to 1 day.</value>
    public TimeSpan? RequireCertificateOnStartup { get; set; }

    /// <summary>Whether this instance orders certificates.</summary>
    /// <value><see cref="IssuanceMode.Automatic"/>.</value>
    public IssuanceMode Issuance { get; set; } = IssuanceMode.Automatic;

    /// <summary>What clients get for a managed name that has no certificate yet.</summary>
    /// <value><see cref="Configuration.MissingCertificate.Placeholder"/>.</value>
    public MissingCertificate MissingCertificate { get; set; } = MissingCertificate.Placeholder;

    /// <summary>
    /// The number of orders in progress at once. An order that takes longer than 10 seconds gives its place to another one, up to four
    /// times as many. Orders for new names on demand have places of their own, four times as many up to 16. With 1, there is never more
    /// than one.
    /// </summary>
    /// <value>4; from 1 to 100. A change needs a restart.</value>
    public int MaxConcurrentOrders { get; set; } = 4;

    /// <summary>
    /// The number of certificates that are kept ready for handshakes, at about 22 KB each. Others are prepared again when they are needed.
    /// </summary>
    /// <value>2000; from 16 to 1,000,000. A change needs a restart.</value>
    public int ContextCacheSize { get; set; } = 2000;

    /// <summary>
    /// The number of busy certificates whose TLS sessions can be resumed under any load, at about 82 KB each.
    /// </summary>
    /// <value>256; from 0 to <see cref="ContextCacheSize"/>. A change needs a restart.</value>
    public int SessionCacheCertificates { get; set; } = 256;

    /// <summary>
    /// The name whose certificate clients get that send no server name (SNI), such as health probes of load balancers, if no other rule
    /// selects a certificate.
    /// </summary>
    /// <value>None. Not needed if there is only one certificate.</value>
    public string? DefaultServerName { get; set; }

    /// <summary>
    /// For clients that send no server name: maps the local IP address that they connected to, to the name or IP address whose certificate
    /// they get. Needed behind NAT, because the local address is not the public one there.
    /// </summary>
    /// <value>Empty.</value>
    public IDictionary<string, string> LocalAddressNames { get; set; } = new Dictionary<string, string>();

    /// <summary>Whether a renewal keeps the private key. A new key for each renewal is safer.</summary>
    /// <value><see langword="false"/>.</value>
    public bool ReuseKeys { get; set; }

    /// <summary>
    /// The DNS providers that create the records for <c>dns-01</c> and <c>dns-account-01</c>. For each name, the provider with the longest
    /// matching zone is used.
    /// </summary>
    /// <value>Empty.</value>
    public IList<DnsProviderOptions> DnsProviders { get; set; } = [];

    /// <summary>The recursive resolvers for DNS queries, in this order: IP addresses, with a port if it is not 53.</summary>
    /// <value>Empty: the system's resolvers.</value>
    public IList<string> DnsResolvers { get; set; } = [];

    /// <summary>
    /// Certificates for names that nobody configured, obtained while their first visitor waits. <c>AddOnDemand</c> sets it.
    /// </summary>
    /// <value>None: only configured names get certificates. Adding or removing the section needs a restart.</value>
    public OnDemandOptions? OnDemand { get; set; }

    /// <summary>Problems that were found while these options were bound from the configuration.</summary>
    internal List<ConfigurationProblem> BindingProblems { get; } = [];

    /// <summary>Sentences about option names of LettuceEncrypt that were found while these options were bound.</summary>
    internal List<string> LettuceEncryptNotes { get; } = [];
}

/// <summary>Whether this instance orders certificates.</summary>
public enum IssuanceMode
{
    /// <summary>Orders, renews and serves certificates. The default.</summary>
    Automatic,

    /// <summary>
    /// Serves the certificates in the store, follows its changes, and never orders: for the idle half of a blue/green deployment, or for
    /// read replicas.
    /// </summary>
    ServeOnly,
}

/// <summary>What clients get for a managed name that has no certificate yet.</summary>
public enum MissingCertificate
{
    /// <summary>
    /// A self-signed placeholder that no client trusts. Health probes can connect, and a CDN that redirects to HTTPS still passes on the
    /// requests of the CA. The default.
    /// </summary>
    Placeholder,

    /// <summary>Refuses the handshake with the alert <c>unrecognized_name</c> (RFC 6066 section 3).</summary>
    Refuse,
}
