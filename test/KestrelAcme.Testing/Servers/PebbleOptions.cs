namespace KestrelAcme.Testing.Servers;

/// <summary>
/// Options of a <see cref="PebbleServer"/>. By default it is fast and deterministic: no rejected nonces, no random delays, no reused
/// authorizations.
/// </summary>
public sealed record PebbleOptions
{
    /// <summary>The port for http-01 validations. <value>A free port, chosen at start.</value></summary>
    public int? HttpPort { get; init; }

    /// <summary>The port for tls-alpn-01 validations. <value>A free port, chosen at start.</value></summary>
    public int? TlsPort { get; init; }

    /// <summary>The percentage of valid nonces to reject. <value>0</value></summary>
    public int NonceRejectPercent { get; init; }

    /// <summary>The percentage of orders that reuse valid authorizations. <value>0</value></summary>
    public int AuthorizationReusePercent { get; init; }

    /// <summary>Whether validation and issuance take a random time, up to <see cref="ValidationSleep"/>. <value>false</value></summary>
    public bool Sleeps { get; init; }

    /// <summary>The longest delay of a validation with <see cref="Sleeps"/>. <value>5 s</value></summary>
    public TimeSpan ValidationSleep { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether every challenge succeeds without validation. <value>false</value></summary>
    public bool AlwaysValid { get; init; }

    /// <summary>The number of alternate roots, and therefore chains. <value>0</value></summary>
    public int AlternateRoots { get; init; }

    /// <summary>The number of intermediates in a chain. <value>1</value></summary>
    public int ChainLength { get; init; } = 1;

    /// <summary>The validity of certificates. <value>90 days</value></summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>
    /// External account keys: base64url HMAC keys by key ID. If not empty, a binding is required. <value>None</value>
    /// </summary>
    public IReadOnlyDictionary<string, string> ExternalAccountKeys { get; init; } = new Dictionary<string, string>();

    /// <summary>Names that are rejected with rejectedIdentifier. <value>None</value></summary>
    public IReadOnlyList<string> Blocklist { get; init; } = [];

    /// <summary>
    /// The DNS server to use, "address:port". <value>A pebble-challtestsrv of its own, <see cref="PebbleServer.Dns"/>.</value>
    /// </summary>
    public string? DnsServer { get; init; }

    /// <summary>Whether it is as strict as possible (`-strict`). <value>true</value></summary>
    public bool Strict { get; init; } = true;
}
