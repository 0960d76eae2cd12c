namespace KestrelAcme.Protocol.Challenges;

/// <summary>The challenge types known to this library. Servers may offer others, which are kept as they are.</summary>
public static class AcmeChallengeTypes
{
    /// <summary>RFC 8555 section 8.3: a file served over HTTP on port 80.</summary>
    public const string Http01 = "http-01";

    /// <summary>RFC 8555 section 8.4: a TXT record.</summary>
    public const string Dns01 = "dns-01";

    /// <summary>RFC 8737: a certificate served over TLS on port 443.</summary>
    public const string TlsAlpn01 = "tls-alpn-01";

    /// <summary>dns-01 under a label specific to the account (draft).</summary>
    public const string DnsAccount01 = "dns-account-01";

    /// <summary>A persistent TXT record (draft). Has no token.</summary>
    public const string DnsPersist01 = "dns-persist-01";
}
