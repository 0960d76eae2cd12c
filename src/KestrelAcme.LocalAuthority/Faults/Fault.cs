using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>Something that goes wrong with one answer. Immutable; see <see cref="AuthorityFaults.Inject"/>.</summary>
public sealed class Fault
{
    private Fault(FaultEffect effect) => Effect = effect;

    /// <summary>The connection is cut before the request is processed.</summary>
    public static Fault CutBefore { get; } = new(FaultEffect.CutBefore);

    /// <summary>The request is processed, then the connection is cut without an answer.</summary>
    public static Fault CutAfter { get; } = new(FaultEffect.CutAfter);

    /// <summary>The request is processed, then the connection is cut in the middle of the body.</summary>
    public static Fault CutInBody { get; } = new(FaultEffect.CutInBody);

    /// <summary>The request is processed; the body is not JSON.</summary>
    public static Fault NotJson { get; } = new(FaultEffect.NotJson);

    /// <summary>The request is processed; the body is the first half of what it should be.</summary>
    public static Fault Truncated { get; } = new(FaultEffect.Truncated);

    /// <summary>The request is processed; the content type is <c>text/html</c>.</summary>
    public static Fault WrongContentType { get; } = new(FaultEffect.WrongContentType);

    /// <summary>The request is processed; the body does not end while the client reads (up to 1 GiB).</summary>
    public static Fault EndlessBody { get; } = new(FaultEffect.EndlessBody);

    /// <summary>The request is processed; the Location header is missing.</summary>
    public static Fault MissingLocation { get; } = new(FaultEffect.MissingLocation);

    /// <summary>The request is processed; the Replay-Nonce header is missing.</summary>
    public static Fault MissingNonce { get; } = new(FaultEffect.MissingNonce);

    /// <summary>The request is not processed and not answered until the client goes away.</summary>
    public static Fault NoAnswer { get; } = new(FaultEffect.NoAnswer);

    internal FaultEffect Effect { get; }

    internal Func<string, string>? RewriteBody { get; private init; }

    internal int? RewrittenStatus { get; private init; }

    internal string? RewrittenContentType { get; private init; }

    internal IReadOnlyDictionary<string, string> Headers { get; private init; } = new Dictionary<string, string>();

    internal string ProblemType { get; private init; } = "serverInternal";

    internal int Status { get; private init; } = 500;

    internal string Detail { get; private init; } = "A fault that was asked for.";

    internal RetryAfter? RetryAfter { get; private init; }

    /// <summary>The request is processed; then the answer is made into whatever a hostile or odd authority might send.</summary>
    /// <param name="body">Makes the body from the one that would have been sent.</param>
    /// <param name="status">The HTTP status; null leaves it as it is.</param>
    /// <param name="contentType">The content type; null leaves it as it is.</param>
    /// <param name="headers">Headers that are set, or replaced.</param>
    public static Fault Rewrite(
        Func<string, string> body, int? status = null, string? contentType = null, IReadOnlyDictionary<string, string>? headers = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        return new Fault(FaultEffect.Rewrite)
        {
            RewriteBody = body,
            RewrittenStatus = status,
            RewrittenContentType = contentType,
            Headers = headers ?? new Dictionary<string, string>(),
        };
    }

    /// <summary>429 <c>rateLimited</c>; the request is not processed.</summary>
    /// <param name="retryAfter">What <c>Retry-After</c> says; null leaves it out.</param>
    /// <param name="asDate">Whether it is a date rather than seconds.</param>
    public static Fault TooManyRequests(TimeSpan? retryAfter = null, bool asDate = false) =>
        Problem("rateLimited", 429, "Too many requests.", retryAfter, asDate);

    /// <summary>503 <c>serverInternal</c>; the request is not processed.</summary>
    /// <param name="retryAfter">What <c>Retry-After</c> says; null leaves it out.</param>
    /// <param name="asDate">Whether it is a date rather than seconds.</param>
    public static Fault Unavailable(TimeSpan? retryAfter = null, bool asDate = false) =>
        Problem("serverInternal", 503, "The service is down for maintenance.", retryAfter, asDate);

    /// <summary>Any problem document; the request is not processed.</summary>
    /// <param name="type">The type: one of RFC 8555 without its prefix, such as <c>caa</c>, or a whole URI.</param>
    /// <param name="status">The HTTP status, 400 to 599.</param>
    /// <param name="detail">The text for people.</param>
    /// <param name="retryAfter">What <c>Retry-After</c> says; null leaves it out.</param>
    /// <param name="asDate">Whether it is a date rather than seconds.</param>
    public static Fault Problem(string type, int status, string detail, TimeSpan? retryAfter = null, bool asDate = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(type);
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 400);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        return new Fault(FaultEffect.Problem)
        {
            ProblemType = type,
            Status = status,
            Detail = detail,
            RetryAfter = retryAfter is { } delay ? new RetryAfter(delay, asDate) : null,
        };
    }
}
