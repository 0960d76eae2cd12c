using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Problems;

/// <summary>
/// A problem that a server reports (RFC 8555 section 6.7). All text is limited in length and free of control
/// characters, but still untrusted: encode it before showing it on a page.
/// </summary>
public sealed record AcmeProblem
{
    private const int MaxSubproblems = 200;
    private const int MaxDetailLength = 2000;
    private const int MaxTypeLength = 200;
    private const int MaxAlgorithms = 32;
    private const int MaxAlgorithmLength = 32;

    /// <summary>The type, a URI; see <see cref="AcmeProblemTypes"/>.</summary>
    /// <value><c>about:blank</c> if the server reports none.</value>
    public string Type { get; init; } = "about:blank";

    /// <summary>The server's explanation.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The HTTP status in the document, if any.</summary>
    public int? Status { get; init; }

    /// <summary>A page with more information, or where the user has to agree to something. Always an HTTPS URL.</summary>
    public Uri? Instance { get; init; }

    /// <summary>The name or address that a subproblem concerns.</summary>
    public AcmeIdentifier? Identifier { get; init; }

    /// <summary>The problems of individual identifiers (RFC 8555 section 6.7.1).</summary>
    public IReadOnlyList<AcmeProblem> Subproblems { get; init; } = [];

    /// <summary>The signature algorithms that the server supports, with <see cref="AcmeProblemTypes.BadSignatureAlgorithm"/>.</summary>
    public IReadOnlyList<string> Algorithms { get; init; } = [];

    /// <summary>The type without the prefix of the ACME registry, such as <c>rateLimited</c>.</summary>
    public string ShortType =>
        Type.StartsWith(AcmeProblemTypes.Prefix, StringComparison.Ordinal) ? Type[AcmeProblemTypes.Prefix.Length..] : Type;

    /// <summary>Whether the problem is of the given type.</summary>
    /// <param name="type">One of <see cref="AcmeProblemTypes"/>.</param>
    public bool Is(string type) => string.Equals(Type, type, StringComparison.Ordinal);

    /// <summary>Whether the problem or one of its subproblems is of the given type.</summary>
    /// <param name="type">One of <see cref="AcmeProblemTypes"/>.</param>
    public bool Contains(string type) => Is(type) || Subproblems.Any(subproblem => subproblem.Contains(type));

    /// <summary>Returns the problem in one line, with its subproblems by name.</summary>
    public override string ToString() => ProblemMessage.Describe(this);

    internal static AcmeProblem? FromDocument(ProblemDocument? document) => document is null ? null : FromDocument(document, depth: 0);

    private static AcmeProblem FromDocument(ProblemDocument document, int depth) => new()
    {
        Type = document.Type is { Length: > 0 } type ? QuotedText.Words(type, MaxTypeLength) : "about:blank",
        Detail = QuotedText.Words(document.Detail ?? document.Title, MaxDetailLength),
        Status = StatusOf(document.Status),
        Instance = Uri.TryCreate(document.Instance, UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps ? page : null,
        Identifier = AcmeIdentifier.FromDocument(document.Identifier),
        // Subproblems have no subproblems (RFC 8555 section 6.7.1).
        Subproblems = depth > 0 ? [] : SubproblemsOf(document),
        Algorithms = [.. (document.Algorithms ?? []).Take(MaxAlgorithms)
            .Select(algorithm => QuotedText.Words(algorithm, MaxAlgorithmLength))],
    };

    private static AcmeProblem[] SubproblemsOf(ProblemDocument document) =>
        [
            .. (document.Subproblems ?? []).OfType<ProblemDocument>().Take(MaxSubproblems)
                .Select(subproblem => FromDocument(subproblem, depth: 1)),
        ];

    private static int? StatusOf(JsonElement status) => status.ValueKind switch
    {
        JsonValueKind.Number when status.TryGetInt32(out var number) => number,
        JsonValueKind.String when int.TryParse(JsonText.Read(status), out var number) => number,
        _ => null,
    };
}

/// <summary>The JSON of a problem document (RFC 7807 with the members of ACME).</summary>
internal sealed class ProblemDocument
{
    public string? Type { get; init; }

    public string? Title { get; init; }

    public string? Detail { get; init; }

    // Some servers write the status as text, which must not make the rest of the document unreadable.
    public JsonElement Status { get; init; }

    public string? Instance { get; init; }

    public IdentifierDocument? Identifier { get; init; }

    public IReadOnlyList<ProblemDocument?>? Subproblems { get; init; }

    public IReadOnlyList<string?>? Algorithms { get; init; }
}
