namespace KestrelAcme.Challenges.Http01;

/// <summary>Answers http-01 challenges (RFC 8555 section 8.3) from the application's own pipeline.</summary>
internal sealed class Http01ChallengeHandler(Http01TokenTable tokens, Http01SelfCheck selfCheck) : IChallengeHandler
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

    // The token is in this instance's memory and in the shared store as soon as it is prepared; what remains is to see whether requests for it arrive here.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => selfCheck.RunAsync(context, cancellationToken);

    public async ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var seen = await selfCheck.DescribeAsync(context, cancellationToken);
        return context.Token is { } token && tokens.RequestsFor(token) is { Count: > 0 } requests
            ? $"Seen from here, the token was asked for {Times(requests.Count)} (our own check among them), from {Addresses(requests.Addresses)}, and answered; {seen}."
            : $"Seen from here, no request for the token arrived at this instance; {seen}.";
    }

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => context.Token is { } token && Http01Path.IsWellFormed(token) ? tokens.RemoveAsync(token, cancellationToken) : Task.CompletedTask;

    private static string Times(int count) => count == 1 ? "once" : $"{count} times";

    private static string Addresses(int count) => count == 1 ? "one address" : $"{count} addresses";
}
