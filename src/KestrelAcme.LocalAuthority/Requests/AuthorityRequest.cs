namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>A request in the CA's request log. Immutable.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path, without the query.</param>
/// <param name="Resource">The requested resource.</param>
/// <param name="Time">When the response was created, by the CA's clock.</param>
/// <param name="AccountId">The last segment of the account's URL; null if no account signed the request.</param>
/// <param name="StatusCode">The status of the response; 0 if the connection was closed without a response.</param>
/// <param name="Problem">The problem type (without the common prefix), or null.</param>
public sealed record AuthorityRequest(
    string Method,
    string Path,
    ResourceKind Resource,
    DateTimeOffset Time,
    string? AccountId,
    int StatusCode,
    string? Problem)
{
    /// <summary>The kind of payload.</summary>
    internal RequestPayload Payload { get; init; }
}

/// <summary>The kinds of payload of a request.</summary>
internal enum RequestPayload
{
    /// <summary>No JWS: a GET or HEAD, or a request that ended before its JWS was read.</summary>
    None,

    /// <summary>A JWS with an empty payload: POST-as-GET (RFC 8555 section 6.3).</summary>
    PostAsGet,

    /// <summary>A JWS with the payload <c>{}</c>: a response to a challenge.</summary>
    EmptyObject,

    /// <summary>A JWS with any other payload.</summary>
    Content,
}
