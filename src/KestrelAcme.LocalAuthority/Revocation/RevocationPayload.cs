namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>RFC 8555 section 7.6.</summary>
internal sealed record RevocationPayload
{
    public string? Certificate { get; init; }

    public int? Reason { get; init; }
}
