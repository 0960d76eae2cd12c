namespace KestrelAcme.Tls;

/// <summary>How far reading a ClientHello came.</summary>
internal enum ClientHelloStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>All of it was read.</summary>
    Complete,

    /// <summary>The first byte is not that of a TLS handshake.</summary>
    NotTls,

    /// <summary>It breaks the encoding, or our bounds.</summary>
    Malformed,
}
