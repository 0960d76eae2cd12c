namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>RFC 8555 section 7.4.</summary>
internal sealed record FinalizePayload
{
    public string? Csr { get; init; }
}
