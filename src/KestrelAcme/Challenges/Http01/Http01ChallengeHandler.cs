namespace KestrelAcme.Challenges.Http01;

/// <summary>Answers http-01 challenges (RFC 8555 section 8.3) from the application's own pipeline.</summary>
internal sealed class Http01ChallengeHandler(Http01TokenTable tokens) : IChallengeHandler
{
    public string ChallengeType => "http-01";

    public bool CanHandle(string identifierType, string value, bool wildcard) => !wildcard && (identifierType is "dns" or "ip");

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (context is not { Token: { } token, KeyAuthorization: { } keyAuthorization } || !Http01Path.IsWellFormed(token))
        {
            throw new ChallengeException($"{context.Identifier}: the authority's http-01 challenge has no usable token.");
        }

        return tokens.AddAsync(token, keyAuthorization, cancellationToken);
    }

    // The token is in this instance's memory and in the shared store as soon as it is prepared.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => context.Token is { } token && Http01Path.IsWellFormed(token) ? tokens.RemoveAsync(token, cancellationToken) : Task.CompletedTask;
}
