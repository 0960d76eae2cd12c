using System.Text.Json;

namespace KestrelAcme.Protocol.Directories;

/// <summary>The <c>meta</c> of a directory as it is on the wire.</summary>
internal sealed class DirectoryMetaDocument
{
    public string? TermsOfService { get; init; }

    public string? Website { get; init; }

    public IReadOnlyList<string?>? CaaIdentities { get; init; }

    // Of a draft: whatever they are, the directory stays of use.
    public JsonElement IssuerDomainNames { get; init; }

    public JsonElement AccountHashPrefix { get; init; }

    public bool? ExternalAccountRequired { get; init; }

    public JsonElement Profiles { get; init; }
}
