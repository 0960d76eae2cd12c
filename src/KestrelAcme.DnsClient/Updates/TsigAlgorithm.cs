namespace KestrelAcme.DnsClient.Updates;

/// <summary>The algorithm of a transaction signature (RFC 8945 section 6).</summary>
public enum TsigAlgorithm
{
    /// <summary>hmac-sha256, which every server must know.</summary>
    HmacSha256,

    /// <summary>hmac-sha512.</summary>
    HmacSha512,
}
