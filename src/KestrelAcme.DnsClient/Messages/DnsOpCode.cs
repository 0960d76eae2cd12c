namespace KestrelAcme.DnsClient.Messages;

/// <summary>The kind of a request.</summary>
internal enum DnsOpCode
{
    /// <summary>A query (RFC 1035).</summary>
    Query = 0,

    /// <summary>A change of a zone (RFC 2136).</summary>
    Update = 5,
}
