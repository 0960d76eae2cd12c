namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>RFC 8555 section 7.1.6. Never stored: it follows from the order and its authorizations.</summary>
internal enum OrderStatus
{
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
}
