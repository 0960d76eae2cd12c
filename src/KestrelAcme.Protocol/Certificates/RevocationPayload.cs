namespace KestrelAcme.Protocol.Certificates;

/// <summary>The payload of revokeCert (RFC 8555 section 7.6).</summary>
internal sealed class RevocationPayload
{
    public required string Certificate { get; init; }

    public int? Reason { get; init; }
}
