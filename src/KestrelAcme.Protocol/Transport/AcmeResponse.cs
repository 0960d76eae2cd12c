using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>A response, read completely and limited in size.</summary>
internal sealed class AcmeResponse
{
    public required AcmeCall Call { get; init; }

    /// <summary>The directory URL that the operator configured for the server.</summary>
    public required Uri Origin { get; init; }

    public required HttpStatusCode Status { get; init; }

    public required byte[] Body { get; init; }

    public string? MediaType { get; init; }

    public string? Nonce { get; init; }

    public Uri? Location { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public IReadOnlyList<WebLink> Links { get; init; } = [];

    public bool IsSuccess => (int)Status is >= 200 and <= 299;

    public bool IsRedirect => Status is HttpStatusCode.Moved or HttpStatusCode.Redirect or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private bool IsJson => MediaType is null || MediaType == "application/json" || MediaType.EndsWith("+json", StringComparison.Ordinal);

    /// <summary>Reads the body as JSON.</summary>
    /// <exception cref="AcmeMalformedResponseException">The body is not JSON, or not of this type.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        if (!IsJson)
        {
            throw Malformed($"the response is {QuotedText.Words(MediaType, 100)}, not application/json");
        }

        try
        {
            return JsonSerializer.Deserialize(Body, type) ?? throw Malformed("the response is the JSON value null");
        }
        catch (JsonException e)
        {
            throw Malformed(Body.Length == 0 ? "the response is empty" : "the response is not the expected JSON", e);
        }
    }

    /// <summary>Reads the problem document, if the body is one.</summary>
    public AcmeProblem? ReadProblem()
    {
        if (!IsJson || Body.Length == 0)
        {
            return null;
        }

        try
        {
            return AcmeProblem.FromDocument(JsonSerializer.Deserialize(Body, Serialization.AcmeJson.Default.ProblemDocument));
        }
        catch (JsonException)
        {
            // An error page with the media type of JSON: the status is enough.
            return null;
        }
    }

    /// <summary>Resolves a link in the body against the URL of the request.</summary>
    /// <returns><see langword="null"/> if there is no link.</returns>
    /// <exception cref="AcmeMalformedResponseException">The link must not be followed.</exception>
    public Uri? Link(string? text, string member)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return Uri.TryCreate(Call.Url, text, out var url) && UrlPolicy.IsAllowed(url, Origin)
            ? url
            : throw Malformed(
                $"\"{member}\" is \"{QuotedText.Words(text, 200)}\", which is not an https URL that may be requested from here");
    }

    public AcmeMalformedResponseException Malformed(string why, Exception? cause = null)
    {
        var hint = Call.Hint is null ? "" : " " + Call.Hint;
        return new AcmeMalformedResponseException($"{Call.Operation} failed: {Call.Url} answered {(int)Status}, but {why}.{hint}", cause)
        {
            Operation = Call.Operation,
            Url = Call.Url,
            StatusCode = Status,
            RetryAfter = RetryAfter,
            RequestMayHaveBeenProcessed = !Call.IsRepeatable,
        };
    }
}

/// <summary>The Date header of a response, and when the response arrived by this machine's monotonic clock.</summary>
internal sealed record ServerClock(DateTimeOffset Date, long Since)
{
    /// <summary>
    /// How far the server's clock is ahead. Computed on each call, so that a correction of this machine's clock takes
    /// effect at once.
    /// </summary>
    public TimeSpan Skew(TimeProvider time) => Date - time.GetUtcNow() + time.GetElapsedTime(Since);
}
