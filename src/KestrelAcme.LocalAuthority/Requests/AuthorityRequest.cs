namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>One request that the authority answered (or cut), as kept in its request log. Immutable.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path, without the query.</param>
/// <param name="Resource">What the request was for.</param>
/// <param name="Payload">What it carried.</param>
/// <param name="Time">When it was answered, by the authority's clock.</param>
/// <param name="AccountId">The last part of the account's URL; null when no account had signed.</param>
/// <param name="StatusCode">The status answered; 0 when the connection was cut before an answer.</param>
/// <param name="Problem">The problem's type (without the common prefix); null without one.</param>
public sealed record AuthorityRequest(
    string Method,
    string Path,
    ResourceKind Resource,
    RequestPayload Payload,
    DateTimeOffset Time,
    string? AccountId,
    int StatusCode,
    string? Problem);
