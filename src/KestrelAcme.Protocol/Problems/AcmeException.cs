using System.Net;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Problems;

/// <summary>
/// An ACME operation failed. The type itself means that the server answered with an error, or does not offer what was asked for;
/// derived types: <see cref="AcmeUnreachableException"/>, <see cref="AcmeMalformedResponseException"/>, <see cref="AcmeRateLimitedException"/>
/// and <see cref="AcmePollingTimeoutException"/>. The message is for the operator and holds the server's own words; no secret is ever in it.
/// </summary>
public class AcmeException : Exception
{
    /// <summary>Makes an exception without a cause.</summary>
    /// <param name="message">What failed and what to do.</param>
    public AcmeException(string message)
        : base(QuotedText.Of(message))
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What failed and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeException(string message, Exception? innerException)
        : base(QuotedText.Of(message), innerException)
    {
    }

    /// <summary>What the server said, when it said something.</summary>
    public AcmeProblem? Problem { get; init; }

    /// <summary>The status of the answer, when there was one.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>How long the server asks to wait, when it does; counted from the answer.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What was attempted, in words, such as "Creating an order".</summary>
    public string? Operation { get; init; }

    /// <summary>The URL of the request.</summary>
    public Uri? Url { get; init; }

    /// <summary>Where the server has a page about the problem (<c>Link: rel="help"</c>); only ever an https link.</summary>
    public Uri? HelpUrl { get; init; }

    /// <summary>
    /// Whether a request that must not be repeated blindly (a new order, a finalization, a key change) may have taken effect although its
    /// answer was lost or unreadable. Look first (fetch the order, find the account), then decide.
    /// </summary>
    public bool RequestMayHaveBeenProcessed { get; init; }

    /// <summary>Whether the very request that failed, which may be that for a nonce, does no harm when it is sent again.</summary>
    internal bool IsRepeatable { get; init; }

    /// <summary>Whether this attempt may have taken effect at the server although it failed here.</summary>
    internal bool MayHaveTakenEffect { get; init; }

    /// <summary>Whether an attempt before this one may have taken effect: then a refusal of this one can mean that all is done.</summary>
    internal bool FollowsLostAttempt { get; set; }

    /// <summary>Whether the server named this problem, at the top or for one of the names.</summary>
    /// <param name="type">One of <see cref="AcmeProblemTypes"/>.</param>
    public bool HasProblem(string type) => Problem?.Contains(type) == true;
}
