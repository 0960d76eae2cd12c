namespace KestrelAcme.Protocol.Orders;

/// <summary>The status of an order (RFC 8555 section 7.1.6).</summary>
public enum OrderStatus
{
    /// <summary>A status that this library does not know.</summary>
    Unknown,

    /// <summary>Waits for its authorizations.</summary>
    Pending,

    /// <summary>May be finalized.</summary>
    Ready,

    /// <summary>The certificate is being issued.</summary>
    Processing,

    /// <summary>The certificate is there.</summary>
    Valid,

    /// <summary>Will come to nothing.</summary>
    Invalid,
}
