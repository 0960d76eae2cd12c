namespace KestrelAcme.Protocol.Directories;

/// <summary>A directory as it is on the wire (RFC 8555 section 7.1.1).</summary>
internal sealed class DirectoryDocument
{
    public string? NewNonce { get; init; }

    public string? NewAccount { get; init; }

    public string? NewOrder { get; init; }

    public string? NewAuthz { get; init; }

    public string? RevokeCert { get; init; }

    public string? KeyChange { get; init; }

    public string? RenewalInfo { get; init; }

    public DirectoryMetaDocument? Meta { get; init; }
}
