namespace KestrelAcme.Protocol.Problems;

/// <summary>Why there was no answer.</summary>
public enum AcmeUnreachableReason
{
    /// <summary>The connection was there, and broke before the whole answer came.</summary>
    ConnectionLost,

    /// <summary>The host name did not resolve.</summary>
    NameNotResolved,

    /// <summary>No address of the host accepted a connection; the message names each and what it did.</summary>
    NotConnected,

    /// <summary>The answer did not come in time.</summary>
    TimedOut,

    /// <summary>The proxy did not connect.</summary>
    ProxyFailed,

    /// <summary>The TLS handshake failed.</summary>
    TlsFailed,

    /// <summary>The server's certificate does not lead to a root that is trusted here.</summary>
    CertificateNotTrusted,

    /// <summary>
    /// The server's certificate, or one of its chain, is not valid yet or no longer: by this machine's clock, which may be wrong.
    /// </summary>
    CertificateNotTimeValid,

    /// <summary>The server's certificate is for other names.</summary>
    CertificateNameMismatch,
}
