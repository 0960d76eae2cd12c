using System.Text.Json;

namespace KestrelAcme.Protocol.Directories;

/// <summary>The <c>meta</c> of a directory as it is on the wire.</summary>
internal sealed class DirectoryMetaDocument
{
    public string? TermsOfService { get; init; }

    public string? Website { get; init; }

    public IReadOnlyList<string?>? CaaIdentities { get; init; }

    public bool? ExternalAccountRequired { get; init; }

    public JsonElement Profiles { get; init; }
}
