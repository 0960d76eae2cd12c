using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>A response before it is written.</summary>
internal sealed record AcmeResponse(int Status, string? ContentType, byte[] Body)
{
    public const string Json = "application/json";
    public const string ProblemJson = "application/problem+json";

    public string? Location { get; init; }

    public RetryAfter? RetryAfter { get; init; }

    public string? Allow { get; init; }

    /// <summary>Values of the <c>Link</c> header in addition to <c>index</c>.</summary>
    public IReadOnlyList<string> Links { get; init; } = [];

    /// <summary>Headers that replace the usual ones.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    public bool CarriesNonce { get; init; } = true;

    /// <summary>The problem type without its prefix, for the log.</summary>
    public string? ProblemType { get; init; }

    public static AcmeResponse Empty(int status) => new(status, null, []);

    public static AcmeResponse Of<T>(int status, T value, JsonTypeInfo<T> type) =>
        new(status, Json, JsonSerializer.SerializeToUtf8Bytes(value, type));

    public static AcmeResponse Of(Problem problem) =>
        new(problem.Status, ProblemJson, JsonSerializer.SerializeToUtf8Bytes(problem, AuthorityJson.Default.Problem))
        {
            Location = problem.Location,
            Links = problem.TermsOfService is { } terms ? [$"<{terms}>;rel=\"terms-of-service\""] : [],
            ProblemType = problem.Type.StartsWith(Problem.Namespace, StringComparison.Ordinal)
                ? problem.Type[Problem.Namespace.Length..]
                : problem.Type,
        };
}
