namespace KestrelAcme.Configuration;

/// <summary>What a client gets for a managed name that has no certificate yet.</summary>
public enum MissingCertificate
{
    /// <summary>
    /// A self-signed placeholder, which no client trusts: a CDN that redirects to HTTPS still lets the authority's challenge through, and health probes connect. The default.
    /// </summary>
    Placeholder,

    /// <summary>No handshake: the <c>unrecognized_name</c> alert (RFC 6066 section 3).</summary>
    Refuse,
}
