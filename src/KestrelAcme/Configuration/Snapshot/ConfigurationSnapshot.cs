using System.Net;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>
/// The configuration as the rest of KestrelAcme reads it: parsed, normalized and validated, with all defaults. Immutable, with value
/// equality.
/// </summary>
internal sealed record ConfigurationSnapshot
{
    /// <summary>The snapshot that is used if automatic HTTPS is disabled.</summary>
    public static ConfigurationSnapshot Disabled { get; } = new() { Enabled = false, StoragePath = "" };

    /// <summary>Whether automatic HTTPS is enabled.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>The certificates that should exist, one for each name or group and each key algorithm.</summary>
    public EquatableArray<CertificateSpecification> Certificates { get; init; } = [];

    /// <summary>The CAs, in the order in which they are tried. Empty if there is a <see cref="NoAuthorityReason"/>.</summary>
    public EquatableArray<AuthoritySpecification> Authorities { get; init; } = [];

    /// <summary>
    /// Why a valid configuration has no CA, and what to do; <see langword="null"/> if there is a CA.
    /// </summary>
    public string? NoAuthorityReason { get; init; }

    /// <summary>Whether the terms of service are accepted.</summary>
    public bool AcceptTermsOfService { get; init; }

    /// <summary>The absolute path of the store's folder.</summary>
    public required string StoragePath { get; init; }

    /// <summary>The folders of other ACME clients to import from at start.</summary>
    public EquatableArray<ImportSpecification> ImportFrom { get; init; } = [];

    /// <summary>The absolute path of the folder to export to; <see langword="null"/> to export nothing.</summary>
    public string? ExportPath { get; init; }

    /// <summary>The permissions of exported files; <see langword="null"/> to keep the current ones.</summary>
    public UnixFileMode? ExportFileMode { get; init; }

    /// <summary>The group of exported files; <see langword="null"/> to keep the current one.</summary>
    public string? ExportGroup { get; init; }

    /// <summary>The challenge types, in order of preference, for names that are added at run time.</summary>
    public EquatableArray<string> ChallengeTypes { get; init; } = ["http-01"];

    /// <summary>The key algorithms for names that are added at run time.</summary>
    public EquatableArray<KeyAlgorithm> KeyAlgorithms { get; init; } = [KeyAlgorithm.EcdsaP256];

    /// <summary>Whether KestrelAcme requests its own response to a challenge before it submits the challenge.</summary>
    public bool SelfCheck { get; init; } = true;

    /// <summary>Whether every well-formed http-01 token for a managed name is returned with the thumbprint of the account.</summary>
    public bool Http01Stateless { get; init; }

    /// <summary>Whether to order from a public CA although the store does not survive a restart.</summary>
    public bool AllowEphemeralStorage { get; init; }

    /// <summary>Whether registered protectors encrypt private keys in the store, and not only decrypt them.</summary>
    public bool ProtectKeys { get; init; } = true;

    /// <summary>How certificates are also exported as PKCS #12; <see langword="null"/> if they are not.</summary>
    public ExportPfx? ExportPfx { get; init; }

    /// <summary>The program that is run after an export; <see langword="null"/> if there is none.</summary>
    public ExportHook? ExportHook { get; init; }

    /// <summary>How long the start waits for all certificates; <see langword="null"/> if it does not.</summary>
    public TimeSpan? RequireCertificateOnStartup { get; init; }

    /// <summary>Whether this instance orders certificates.</summary>
    public IssuanceMode Issuance { get; init; }

    /// <summary>What clients get for a managed name that has no certificate.</summary>
    public MissingCertificate MissingCertificate { get; init; }

    /// <summary>The number of orders in progress at once.</summary>
    public int MaxConcurrentOrders { get; init; } = 4;

    /// <summary>The number of certificates that are kept ready for handshakes.</summary>
    public int ContextCacheSize { get; init; } = 2000;

    /// <summary>The number of certificates whose sessions can be resumed under any load.</summary>
    public int SessionCacheCertificates { get; init; } = 256;

    /// <summary>The name whose certificate clients without SNI get.</summary>
    public CertificateIdentifier? DefaultServerName { get; init; }

    /// <summary>The names whose certificates clients without SNI get, by local address.</summary>
    public EquatableArray<LocalAddressName> LocalAddressNames { get; init; } = [];

    /// <summary>The DNS providers.</summary>
    public EquatableArray<DnsProviderSpecification> DnsProviders { get; init; } = [];

    /// <summary>The DNS resolvers; empty for the system's.</summary>
    public EquatableArray<IPEndPoint> DnsResolvers { get; init; } = [];

    /// <summary>Whether a renewal keeps the private key.</summary>
    public bool ReuseKeys { get; init; }

    /// <summary>The settings of certificates on demand; <see langword="null"/> if only configured names get certificates.</summary>
    public OnDemandSpecification? OnDemand { get; init; }
}

/// <summary>The name or address whose certificate clients without SNI get that connect to a local address.</summary>
/// <param name="Address">The local address, never an IPv4-mapped IPv6 address.</param>
/// <param name="Name">The name or address.</param>
internal sealed record LocalAddressName(IPAddress Address, CertificateIdentifier Name);

/// <summary>A validated DNS provider.</summary>
internal sealed record DnsProviderSpecification
{
    /// <summary>The type and its settings.</summary>
    public required DnsProviderSettings Settings { get; init; }

    /// <summary>The zones that it is responsible for, as A-labels in lower case; empty for all.</summary>
    public required EquatableArray<string> Zones { get; init; }

    /// <summary>Whether KestrelAcme follows CNAME records of challenge names.</summary>
    public bool FollowCnames { get; init; } = true;

    /// <summary>How long a record may take to become visible.</summary>
    public required TimeSpan PropagationTimeout { get; init; }

    /// <summary>The minimum time between creating a record and submitting the challenge.</summary>
    public required TimeSpan MinimumWait { get; init; }

    /// <summary>Which servers are queried to find out whether a record is visible.</summary>
    public required DnsPropagationCheck PropagationCheck { get; init; }

    /// <summary>Whether the order fails if a name server does not respond.</summary>
    public required bool RequireEveryServer { get; init; }
}

/// <summary>A folder of another ACME client.</summary>
/// <param name="Path">The absolute path of the folder.</param>
/// <param name="Kind">The client; <see langword="null"/> to recognize it by its files.</param>
/// <param name="Password">The password of PFX files; a secret.</param>
/// <param name="PasswordPath">The absolute path of a file with the password.</param>
internal sealed record ImportSpecification(string Path, ImportKind? Kind, string? Password = null, string? PasswordPath = null)
{
    /// <summary>Returns the path, never the password.</summary>
    public override string ToString() => $"import from '{Path}'";
}

/// <summary>A program that is run after the exported files of a certificate have changed.</summary>
internal sealed record ExportHook(string Program, EquatableArray<string> Arguments, EquatableArray<string> Variables, TimeSpan Timeout);

/// <summary>How certificates are exported as PKCS #12.</summary>
/// <param name="Password">The password; a secret, and empty if there is none.</param>
internal sealed record ExportPfx(string Password)
{
    /// <summary>Never returns the password.</summary>
    public override string ToString() => "PKCS #12";
}

/// <summary>The validated settings of certificates on demand. Immutable, with value equality.</summary>
internal sealed record OnDemandSpecification
{
    /// <summary>The URL to ask; <see langword="null"/> if the app has a permission of its own.</summary>
    public Uri? AskUrl { get; init; }

    /// <summary>How long a connection waits.</summary>
    public required TimeSpan Wait { get; init; }

    /// <summary>The number of connections that wait at once.</summary>
    public required int MaxWaiting { get; init; }

    /// <summary>How many names may be new within an hour.</summary>
    public required int PerHour { get; init; }

    /// <summary>How many names may be new within a day.</summary>
    public required int PerDay { get; init; }

    /// <summary>How many names of a registered domain may be new within a week.</summary>
    public required int PerDomain { get; init; }

    /// <summary>How many names may be new within an hour because of one network.</summary>
    public required int PerNetwork { get; init; }

    /// <summary>Whether a new name must lead here.</summary>
    public bool CheckAddress { get; init; }

    /// <summary>The networks that lead here.</summary>
    public EquatableArray<IPNetwork> Addresses { get; init; } = [];

    /// <summary>After how long without a visitor a name is forgotten.</summary>
    public required TimeSpan ForgetAfter { get; init; }

    /// <summary>Whether denied names are served until their certificates expire.</summary>
    public bool KeepServingDenied { get; init; }

    /// <summary>Whether IP addresses can get a certificate.</summary>
    public bool AllowIpAddresses { get; init; }

    /// <summary>Whether certificates may contain wildcards.</summary>
    public bool AllowWildcards { get; init; }

    /// <summary>The wildcards whose certificates serve the names that they cover.</summary>
    public EquatableArray<CertificateIdentifier> SubjectMapping { get; init; } = [];
}
