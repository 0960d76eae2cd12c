namespace KestrelAcme.Protocol.Orders;

/// <summary>A page of an account's orders as it is on the wire (RFC 8555 section 7.1.2.1).</summary>
internal sealed class OrderListDocument
{
    public IReadOnlyList<string?>? Orders { get; init; }
}
