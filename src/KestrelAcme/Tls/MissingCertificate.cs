namespace KestrelAcme.Tls;

/// <summary>What a client gets that asks for a managed name while there is no certificate for it.</summary>
internal enum MissingCertificate
{
    /// <summary>A self-signed certificate, so that a CDN in front lets the challenge through and health probes connect.</summary>
    Placeholder,

    /// <summary>The alert <c>unrecognized_name</c>.</summary>
    Refuse,
}
