namespace KestrelAcme.Testing.Servers;

/// <summary>How to start a <see cref="BindServer"/>.</summary>
public sealed record BindOptions
{
    /// <summary>The zones that it is authoritative for. <value>example.test</value></summary>
    public IReadOnlyList<BindZone> Zones { get; init; } = [new BindZone("example.test")];

    /// <summary>The TSIG algorithm. <value>hmac-sha256</value></summary>
    public string TsigAlgorithm { get; init; } = "hmac-sha256";

    /// <summary>
    /// Whether a second server (127.0.0.2, same port) holds copies. It copies a zone at its start and then only when
    /// <see cref="BindServer.TransferAsync"/> tells it to, so that a test decides how long it lags. <value>false</value>
    /// </summary>
    public bool HasSecondary { get; init; }
}
