namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// Answers dns-persist-01 challenges with a record that a person creates once and that stays. Nothing is created or deleted here, so that no credentials for the zone are needed.
/// </summary>
internal sealed class DnsPersist01ChallengeHandler(PersistCheck check) : IChallengeHandler
{
    public const string Type = "dns-persist-01";

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken) => PersistRecord.IssuersOf(context) is { Count: > 0 } issuers
        ? check.CheckAsync([new PersistRequest(context.Identifier, context.Wildcard, context.AccountUrl, issuers)], cancellationToken)
        : throw new ChallengeException($"{context.Identifier}: the authority does not say by which name a dns-persist-01 record knows it.") { Fault = ChallengeFault.Operator };

    // It was verified when it was prepared, and has been there for long.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;
}
