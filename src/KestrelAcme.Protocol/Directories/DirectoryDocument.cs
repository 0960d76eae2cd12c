using System.Text.Json;

namespace KestrelAcme.Protocol.Directories;

/// <summary>The JSON of a directory (RFC 8555 section 7.1.1).</summary>
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

/// <summary>The JSON of a directory's <c>meta</c> object.</summary>
internal sealed class DirectoryMetaDocument
{
    public string? TermsOfService { get; init; }

    public string? Website { get; init; }

    public IReadOnlyList<string?>? CaaIdentities { get; init; }

    // From a draft: the directory stays usable whatever their shape.
    public JsonElement IssuerDomainNames { get; init; }

    public JsonElement AccountHashPrefix { get; init; }

    public bool? ExternalAccountRequired { get; init; }

    public JsonElement Profiles { get; init; }
}
