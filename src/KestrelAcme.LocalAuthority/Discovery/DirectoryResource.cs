namespace KestrelAcme.LocalAuthority.Discovery;

/// <summary>The directory object, RFC 8555 section 7.1.1.</summary>
internal sealed record DirectoryResource
{
    public required string NewNonce { get; init; }

    public required string NewAccount { get; init; }

    public required string NewOrder { get; init; }

    public required string RevokeCert { get; init; }

    public required string KeyChange { get; init; }

    public string? RenewalInfo { get; init; }

    public required DirectoryMeta Meta { get; init; }
}
