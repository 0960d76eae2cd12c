using System.Text.Json.Serialization;

namespace KestrelAcme.LocalAuthority.Problems;

/// <summary>A problem document (RFC 9457) with the types and members of RFC 8555 section 6.7.</summary>
internal sealed record Problem(string Type, int Status, string Detail)
{
    public const string Namespace = "urn:ietf:params:acme:error:";

    /// <summary>The identifier that a subproblem concerns.</summary>
    public Identifiers.Identifier? Identifier { get; init; }

    public IReadOnlyList<Problem>? Subproblems { get; init; }

    /// <summary>The supported algorithms, with <c>badSignatureAlgorithm</c>.</summary>
    public IReadOnlyList<string>? Algorithms { get; init; }

    /// <summary>The URL of an existing resource, if a key change conflicts with it.</summary>
    [JsonIgnore]
    public string? Location { get; init; }

    /// <summary>The terms to agree to, with <c>userActionRequired</c>.</summary>
    [JsonIgnore]
    public Uri? TermsOfService { get; init; }

    public static Problem Of(string type, int status, string detail) =>
        new(type.Contains(':', StringComparison.Ordinal) ? type : Namespace + type, status, detail);

    public static Problem Malformed(string detail, int status = 400) => Of("malformed", status, detail);

    public static Problem NotFound(string what) => Malformed($"No such {what}.", 404);

    public static Problem Unauthorized(string detail, int status = 403) => Of("unauthorized", status, detail);

    public static Problem BadNonce(string detail) => Of("badNonce", 400, detail);

    public static Problem BadPublicKey(string detail) => Of("badPublicKey", 400, detail);

    public static Problem BadCsr(string detail) => Of("badCSR", 400, detail);

    public static Problem RejectedIdentifier(Identifiers.Identifier identifier, string detail) =>
        Of("rejectedIdentifier", 400, detail) with { Identifier = identifier };

    public ProblemException ToException() => new(this);
}

/// <summary>Ends a request with a problem document.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    public Problem Problem { get; } = problem;
}
