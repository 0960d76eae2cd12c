using KestrelAcme.Protocol.Authorizations;

namespace KestrelAcme.Certificates.Failures;

/// <summary>Describes why an authorization failed (RFC 8555 section 7.1.4). Pure.</summary>
internal static class AuthorizationFailure
{
    /// <param name="authorization">The authorization.</param>
    /// <param name="explanation">What KestrelAcme found out about the failure from here.</param>
    /// <param name="leftBehind">Whether the authorization failed before this attempt.</param>
    public static OrderFailedException Create(Authorization authorization, string? explanation, bool leftBehind)
    {
        var failed = authorization.Challenges.FirstOrDefault(c => c.Error is not null);
        var reason = failed?.Error is { } problem
            ? $"{failed.Type}: {problem}"
            : $"the authorization is {authorization.Status.ToString().ToLowerInvariant()}";
        var more = explanation is null ? "" : $". {explanation}";
        var message = $"{authorization.Identifier.Value} was not validated: {reason.TrimEnd('.')}{more}";
        return new OrderFailedException(message, failed?.Error, failed?.Type)
        {
            LeftBehind = leftBehind,
            IsAddress = authorization.Identifier.Type == "ip",
        };
    }
}
