namespace KestrelAcme.Testing.Servers;

/// <summary>Options of a <see cref="BindServer"/>.</summary>
public sealed record BindOptions
{
    /// <summary>The authoritative zones. <value>example.test</value></summary>
    public IReadOnlyList<BindZone> Zones { get; init; } = [new BindZone("example.test")];

    /// <summary>The TSIG algorithm. <value>hmac-sha256</value></summary>
    public string TsigAlgorithm { get; init; } = "hmac-sha256";

    /// <summary>
    /// Whether a second server (127.0.0.2, same port) holds copies. It copies a zone when it starts and afterwards only on
    /// <see cref="BindServer.TransferAsync"/>, so that the test controls how far it lags. <value>false</value>
    /// </summary>
    public bool HasSecondary { get; init; }
}
