namespace KestrelAcme.Challenges.Http01;

/// <summary>Responds to http-01 challenges (RFC 8555 section 8.3) in the app's own pipeline.</summary>
internal sealed class Http01ChallengeHandler(Http01TokenTable tokens, Http01SelfCheck selfCheck) : IChallengeHandler
{
    public const string Type = Http01TokenTable.Type;

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => !wildcard && (identifierType is "dns" or "ip");

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (context is not { Token: { } token, KeyAuthorization: { } keyAuthorization } || !Http01Path.IsWellFormed(token))
        {
            throw new ChallengeException($"{context.Identifier}: the CA's http-01 challenge has no usable token.");
        }

        return tokens.AddAsync(token, keyAuthorization, SharedChallenge.Of(context), cancellationToken);
    }

    // The token is served as soon as it is prepared, and the order waits for other instances to learn of it. Only whether requests for it
    // arrive has to be checked.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => selfCheck.RunAsync(context, cancellationToken);

    public async ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var seen = await selfCheck.DescribeAsync(context, cancellationToken);
        return context.Token is { } token && tokens.RequestsFor(token) is { Count: > 0 } requests
            ? $"Seen from this machine, the token was requested {Times(requests.Count)} (including KestrelAcme's own check) "
                + $"from {Addresses(requests.Addresses)}, and returned; {seen}."
            : $"Seen from this machine, no request for the token arrived at this instance; {seen}.";
    }

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => context.Token is { } token && Http01Path.IsWellFormed(token)
            ? tokens.RemoveAsync(token, cancellationToken)
            : Task.CompletedTask;

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    private static string Addresses(int count) => count == 1 ? "one address" : $"{count} addresses";
}
