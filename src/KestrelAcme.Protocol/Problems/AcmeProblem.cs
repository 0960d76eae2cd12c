using System.Text.Json;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Problems;

/// <summary>What a server says went wrong (RFC 8555 section 6.7). All text is bounded and free of control characters, but still the server's: encode it before it is shown on a page.</summary>
public sealed record AcmeProblem
{
    private const int MaxSubproblems = 200;
    private const int MaxDetailLength = 2000;
    private const int MaxTypeLength = 200;
    private const int MaxAlgorithms = 32;
    private const int MaxAlgorithmLength = 32;

    /// <summary>The type, a URI; see <see cref="AcmeProblemTypes"/>.</summary>
    /// <value><c>about:blank</c> where the server names none.</value>
    public string Type { get; init; } = "about:blank";

    /// <summary>What the server says, for people.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The HTTP status that the document names, if any.</summary>
    public int? Status { get; init; }

    /// <summary>Where a person finds more, or has to agree to something; only ever an https link.</summary>
    public Uri? Instance { get; init; }

    /// <summary>The name or address that a subproblem is about.</summary>
    public AcmeIdentifier? Identifier { get; init; }

    /// <summary>The problems of single identifiers (RFC 8555 section 6.7.1).</summary>
    public IReadOnlyList<AcmeProblem> Subproblems { get; init; } = [];

    /// <summary>The signature algorithms that the server accepts, with <see cref="AcmeProblemTypes.BadSignatureAlgorithm"/>.</summary>
    public IReadOnlyList<string> Algorithms { get; init; } = [];

    /// <summary>The type without the prefix of the ACME registry, such as <c>rateLimited</c>.</summary>
    public string ShortType => Type.StartsWith(AcmeProblemTypes.Prefix, StringComparison.Ordinal) ? Type[AcmeProblemTypes.Prefix.Length..] : Type;

    /// <summary>Whether the problem is of a type.</summary>
    /// <param name="type">One of <see cref="AcmeProblemTypes"/>.</param>
    public bool Is(string type) => string.Equals(Type, type, StringComparison.Ordinal);

    /// <summary>Whether the problem or one of its subproblems is of a type.</summary>
    /// <param name="type">One of <see cref="AcmeProblemTypes"/>.</param>
    public bool Contains(string type) => Is(type) || Subproblems.Any(subproblem => subproblem.Contains(type));

    /// <summary>The problem in one line, with its subproblems by name.</summary>
    public override string ToString() => ProblemMessage.Describe(this);

    internal static AcmeProblem? FromDocument(ProblemDocument? document) => document is null ? null : FromDocument(document, depth: 0);

    private static AcmeProblem FromDocument(ProblemDocument document, int depth) => new()
    {
        Type = document.Type is { Length: > 0 } type ? QuotedText.Words(type, MaxTypeLength) : "about:blank",
        Detail = QuotedText.Words(document.Detail ?? document.Title, MaxDetailLength),
        Status = StatusOf(document.Status),
        Instance = Uri.TryCreate(document.Instance, UriKind.Absolute, out var instance) && instance.Scheme == Uri.UriSchemeHttps ? instance : null,
        Identifier = AcmeIdentifier.FromDocument(document.Identifier),
        // Subproblems have none of their own (RFC 8555 section 6.7.1).
        Subproblems = depth > 0 ? [] : SubproblemsOf(document),
        Algorithms = [.. (document.Algorithms ?? []).Take(MaxAlgorithms).Select(algorithm => QuotedText.Words(algorithm, MaxAlgorithmLength))],
    };

    private static AcmeProblem[] SubproblemsOf(ProblemDocument document) =>
        [.. (document.Subproblems ?? []).OfType<ProblemDocument>().Take(MaxSubproblems).Select(subproblem => FromDocument(subproblem, depth: 1))];

    private static int? StatusOf(JsonElement status) => status.ValueKind switch
    {
        JsonValueKind.Number when status.TryGetInt32(out var number) => number,
        JsonValueKind.String when int.TryParse(JsonText.Read(status), out var number) => number,
        _ => null,
    };
}
