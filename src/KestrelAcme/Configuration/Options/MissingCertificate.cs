namespace KestrelAcme.Configuration;

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
