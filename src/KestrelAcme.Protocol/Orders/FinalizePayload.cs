namespace KestrelAcme.Protocol.Orders;

/// <summary>The payload of finalize (RFC 8555 section 7.4).</summary>
internal sealed class FinalizePayload
{
    public required string Csr { get; init; }
}
