using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>A fault of a single response. Immutable; see <see cref="AuthorityFaults.Inject"/>.</summary>
public sealed class Fault
{
    private Fault(FaultEffect effect) => Effect = effect;

    /// <summary>The connection is closed before the request is processed.</summary>
    public static Fault CutBefore { get; } = new(FaultEffect.CutBefore);

    /// <summary>The request is processed, but the connection is closed without a response.</summary>
    public static Fault CutAfter { get; } = new(FaultEffect.CutAfter);

    /// <summary>The request is processed, but the connection is closed in the middle of the body.</summary>
    public static Fault CutInBody { get; } = new(FaultEffect.CutInBody);

    /// <summary>The request is processed, but the body is not JSON.</summary>
    public static Fault NotJson { get; } = new(FaultEffect.NotJson);

    /// <summary>The request is processed, but only the first half of the body is sent.</summary>
    public static Fault Truncated { get; } = new(FaultEffect.Truncated);

    /// <summary>The request is processed, but the content type is <c>text/html</c>.</summary>
    public static Fault WrongContentType { get; } = new(FaultEffect.WrongContentType);

    /// <summary>The request is processed, but the body does not end while the client reads (up to 1 GiB).</summary>
    public static Fault EndlessBody { get; } = new(FaultEffect.EndlessBody);

    /// <summary>The request is processed, but the Location header is missing.</summary>
    public static Fault MissingLocation { get; } = new(FaultEffect.MissingLocation);

    /// <summary>The request is processed, but the Replay-Nonce header is missing.</summary>
    public static Fault MissingNonce { get; } = new(FaultEffect.MissingNonce);

    /// <summary>The request is neither processed nor answered until the client closes the connection.</summary>
    public static Fault NoAnswer { get; } = new(FaultEffect.NoAnswer);

    internal FaultEffect Effect { get; }

    internal Func<string, string>? RewriteBody { get; private init; }

    internal int? RewrittenStatus { get; private init; }

    internal string? RewrittenContentType { get; private init; }

    internal IReadOnlyDictionary<string, string> Headers { get; private init; } = new Dictionary<string, string>();

    internal string ProblemType { get; private init; } = "serverInternal";

    internal int Status { get; private init; } = 500;

    internal string Detail { get; private init; } = "An injected fault.";

    internal RetryAfter? RetryAfter { get; private init; }

    /// <summary>The request is processed, and the response is then replaced, for example by one that a hostile CA might send.</summary>
    /// <param name="body">Creates the body from the original one.</param>
    /// <param name="status">The HTTP status; null keeps the original.</param>
    /// <param name="contentType">The content type; null keeps the original.</param>
    /// <param name="headers">Headers to add or replace.</param>
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
    /// <param name="retryAfter">The value of <c>Retry-After</c>; null omits the header.</param>
    /// <param name="asDate">Whether the header is a date instead of seconds.</param>
    public static Fault TooManyRequests(TimeSpan? retryAfter = null, bool asDate = false) =>
        Problem("rateLimited", 429, "Too many requests.", retryAfter, asDate);

    /// <summary>503 <c>serverInternal</c>; the request is not processed.</summary>
    /// <param name="retryAfter">The value of <c>Retry-After</c>; null omits the header.</param>
    /// <param name="asDate">Whether the header is a date instead of seconds.</param>
    public static Fault Unavailable(TimeSpan? retryAfter = null, bool asDate = false) =>
        Problem("serverInternal", 503, "The service is down for maintenance.", retryAfter, asDate);

    /// <summary>Any problem document; the request is not processed.</summary>
    /// <param name="type">The type: one of RFC 8555 without its prefix, such as <c>caa</c>, or a whole URI.</param>
    /// <param name="status">The HTTP status, 400 to 599.</param>
    /// <param name="detail">The problem's detail.</param>
    /// <param name="retryAfter">The value of <c>Retry-After</c>; null omits the header.</param>
    /// <param name="asDate">Whether the header is a date instead of seconds.</param>
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

/// <summary>What is wrong with the next certificates.</summary>
public enum WrongCertificate
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The certificate is for a key that the client does not have.</summary>
    OtherKey,

    /// <summary>The certificate is for <c>wrong.invalid</c>.</summary>
    OtherNames,

    /// <summary>The certificate expired a day ago.</summary>
    Expired,

    /// <summary>The download contains only the leaf.</summary>
    ChainMissing,
}

/// <summary>The problem with which orders with <c>replaces</c> fail. Immutable.</summary>
/// <param name="Type">The problem type, such as <c>alreadyReplaced</c> or <c>serverInternal</c>.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">The problem's detail.</param>
public sealed record RefusedReplaces(string Type, int Status, string Detail);
