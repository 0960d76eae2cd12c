using System.Net;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Problems;

/// <summary>
/// Thrown if an ACME operation fails. This type itself means that the server responded with an error, or does not offer the operation.
/// Derived types: <see cref="AcmeUnreachableException"/>, <see cref="AcmeMalformedResponseException"/>,
/// <see cref="AcmeRateLimitedException"/> and <see cref="AcmePollingTimeoutException"/>. The message is meant for the operator and
/// quotes the server; it never holds a secret.
/// </summary>
public class AcmeException : Exception
{
    /// <summary>Creates an exception without an inner exception.</summary>
    /// <param name="message">What failed, and what to do about it.</param>
    public AcmeException(string message)
        : base(QuotedText.Of(message))
    {
    }

    /// <summary>Creates an exception.</summary>
    /// <param name="message">What failed, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeException(string message, Exception? innerException)
        : base(QuotedText.Of(message), innerException)
    {
    }

    /// <summary>The server's problem document, if it sent one.</summary>
    public AcmeProblem? Problem { get; init; }

    /// <summary>The status code of the response, if there was one.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>How long the server asks to wait (Retry-After), counted from the response.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The operation that failed, such as "Creating the order".</summary>
    public string? Operation { get; init; }

    /// <summary>The URL of the request.</summary>
    public Uri? Url { get; init; }

    /// <summary>A page about the problem, if the server links to one (<c>Link: rel="help"</c>). Always an HTTPS URL.</summary>
    public Uri? HelpUrl { get; init; }

    /// <summary>
    /// Whether a request that must not be repeated blindly (a new order, a finalization, a key change) may have been processed although its
    /// response was lost or unreadable. Check first (fetch the order, find the account), then decide.
    /// </summary>
    public bool RequestMayHaveBeenProcessed { get; init; }

    /// <summary>Whether the request that failed (possibly the one for its nonce) can safely be sent again.</summary>
    internal bool IsRepeatable { get; init; }

    /// <summary>Whether the server may have processed this attempt although it failed here.</summary>
    internal bool MayHaveTakenEffect { get; init; }

    /// <summary>Whether the server may have processed an earlier attempt: an error may then mean that everything is already done.</summary>
    internal bool FollowsLostAttempt { get; set; }

    /// <summary>Whether the server reported a problem of this type, for the request or for one of its identifiers.</summary>
    /// <param name="type">One of <see cref="AcmeProblemTypes"/>.</param>
    public bool HasProblem(string type) => Problem?.Contains(type) == true;
}

/// <summary>
/// There was no response: name resolution, the connection or TLS failed, the request timed out, or the connection was
/// lost.
/// </summary>
public sealed class AcmeUnreachableException : AcmeException
{
    /// <summary>Creates an exception.</summary>
    /// <param name="message">What failed, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeUnreachableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The kind of failure.</summary>
    public AcmeUnreachableReason Reason { get; init; }

    /// <summary>Whether TLS failed. Retries do not help: usually the server's certificate is not trusted on this machine.</summary>
    public bool IsTlsFailure { get; init; }

    /// <summary>
    /// Whether the options specify trusted roots that the server's certificate was checked against, in addition to the
    /// system's.
    /// </summary>
    public bool HadTrustedRoots { get; init; }
}

/// <summary>Why there was no response.</summary>
public enum AcmeUnreachableReason
{
    /// <summary>The connection was lost before the response was complete.</summary>
    ConnectionLost,

    /// <summary>The host name did not resolve.</summary>
    NameNotResolved,

    /// <summary>No address of the host accepted a connection; the message lists each address with its result.</summary>
    NotConnected,

    /// <summary>The request timed out.</summary>
    TimedOut,

    /// <summary>The proxy could not connect to the server.</summary>
    ProxyFailed,

    /// <summary>The TLS handshake failed.</summary>
    TlsFailed,

    /// <summary>The server's certificate does not chain to a root that is trusted on this machine.</summary>
    CertificateNotTrusted,

    /// <summary>
    /// The server's certificate, or one in its chain, has expired or is not valid yet, according to this machine's
    /// clock.
    /// </summary>
    CertificateNotTimeValid,

    /// <summary>The server's certificate is for other names.</summary>
    CertificateNameMismatch,
}

/// <summary>The response is not valid for ACME: not JSON, too large, of the wrong type, or without required members.</summary>
public sealed class AcmeMalformedResponseException : AcmeException
{
    /// <summary>Creates an exception.</summary>
    /// <param name="message">What failed, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeMalformedResponseException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// The server limits the rate of requests: status 429, or a <c>rateLimited</c> problem. Wait at least
/// <see cref="AcmeException.RetryAfter"/> if it is set. A status of 503 is not a rate limit, even with a Retry-After header: it is an
/// <see cref="AcmeException"/> with <see cref="AcmeException.RetryAfter"/> set.
/// </summary>
public sealed class AcmeRateLimitedException : AcmeException
{
    /// <summary>Creates an exception.</summary>
    /// <param name="message">What failed, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeRateLimitedException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>
/// An order or an authorization did not reach the awaited status within <see cref="AcmePollingOptions.Timeout"/>.
/// Nothing is lost: poll the same URL again later.
/// </summary>
public sealed class AcmePollingTimeoutException : AcmeException
{
    /// <summary>Creates an exception.</summary>
    /// <param name="message">What failed, and what to do about it.</param>
    /// <param name="innerException">The cause.</param>
    public AcmePollingTimeoutException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
