namespace KestrelAcme.Testing.Servers;

/// <summary>
/// How to start a <see cref="PebbleServer"/>. The defaults make it quick and steady: no refused nonces, no random pauses, no reused
/// authorizations.
/// </summary>
public sealed record PebbleOptions
{
    /// <summary>Where it validates http-01. <value>A free port, chosen at start.</value></summary>
    public int? HttpPort { get; init; }

    /// <summary>Where it validates tls-alpn-01. <value>A free port, chosen at start.</value></summary>
    public int? TlsPort { get; init; }

    /// <summary>Percentage of good nonces to refuse. <value>0</value></summary>
    public int NonceRejectPercent { get; init; }

    /// <summary>Percentage of orders that reuse valid authorizations. <value>0</value></summary>
    public int AuthorizationReusePercent { get; init; }

    /// <summary>Whether validations and issuance pause at random, for up to <see cref="ValidationSleep"/>. <value>false</value></summary>
    public bool Sleeps { get; init; }

    /// <summary>Longest pause of a validation when <see cref="Sleeps"/>. <value>5 s</value></summary>
    public TimeSpan ValidationSleep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether every challenge succeeds without a look. <value>false</value></summary>
    public bool AlwaysValid { get; init; }

    /// <summary>How many alternate roots (and so chains) it has beside the first. <value>0</value></summary>
    public int AlternateRoots { get; init; }

    /// <summary>How many intermediates a chain has. <value>1</value></summary>
    public int ChainLength { get; init; } = 1;

    /// <summary>How long certificates are valid. <value>90 days</value></summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// External account keys: key id to base64url HMAC key. Not empty means that a binding is required. <value>None</value>
    /// </summary>
    public IReadOnlyDictionary<string, string> ExternalAccountKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>Names that it refuses with rejectedIdentifier. <value>None</value></summary>
    public IReadOnlyList<string> Blocklist { get; init; } = [];

    /// <summary>
    /// The DNS server that it asks, "address:port". <value>A pebble-challtestsrv of its own, <see cref="PebbleServer.Dns"/>.</value>
    /// </summary>
    public string? DnsServer { get; init; }

    /// <summary>Whether it is as strict as it can be (`-strict`). <value>true</value></summary>
    public bool Strict { get; init; } = true;
}
