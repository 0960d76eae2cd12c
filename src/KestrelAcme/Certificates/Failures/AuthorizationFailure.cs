using KestrelAcme.Protocol.Authorizations;

namespace KestrelAcme.Certificates.Failures;

/// <summary>Says why an authorization was not given. Pure.</summary>
internal static class AuthorizationFailure
{
    /// <param name="authorization">The authorization.</param>
    /// <param name="explanation">What only we know of it.</param>
    /// <param name="leftBehind">Whether it was lost before this attempt.</param>
    public static OrderFailedException Create(Authorization authorization, string? explanation, bool leftBehind)
    {
        var failed = authorization.Challenges.FirstOrDefault(c => c.Error is not null);
        var reason = failed?.Error is { } problem
            ? $"{failed.Type}: {problem}"
            : $"the authorization is {authorization.Status.ToString().ToLowerInvariant()}";
        return new OrderFailedException($"{authorization.Identifier.Value} was not validated: {reason.TrimEnd('.')}{(explanation is null ? "" : $". {explanation}")}", failed?.Error, failed?.Type)
        {
            LeftBehind = leftBehind,
            IsAddress = authorization.Identifier.Type == "ip",
        };
    }
}
