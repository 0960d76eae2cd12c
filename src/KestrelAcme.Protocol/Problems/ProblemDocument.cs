using System.Text.Json;
using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Protocol.Problems;

/// <summary>A problem document as it is on the wire (RFC 7807 with ACME's members).</summary>
internal sealed class ProblemDocument
{
    public string? Type { get; init; }

    public string? Title { get; init; }

    public string? Detail { get; init; }

    // Servers are known to write the status as text; it is never worth losing the rest of the document for.
    public JsonElement Status { get; init; }

    public string? Instance { get; init; }

    public IdentifierDocument? Identifier { get; init; }

    public IReadOnlyList<ProblemDocument?>? Subproblems { get; init; }

    public IReadOnlyList<string?>? Algorithms { get; init; }
}
