namespace KestrelAcme.Challenges.Dns01;

/// <summary>Answers dns-01 challenges (RFC 8555 section 8.4) with a TXT record.</summary>
internal sealed class Dns01ChallengeHandler(DnsChallengeFlow flow) : IChallengeHandler
{
    public string ChallengeType => "dns-01";

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.PrepareAsync(context, NameOf(context), cancellationToken);

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.WaitUntilVisibleAsync(context, NameOf(context), cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => flow.CleanUpAsync(context, NameOf(context), cancellationToken);

    public ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken) => flow.ExplainFailureAsync(context, NameOf(context), cancellationToken);

    private static string NameOf(ChallengeContext context) => DnsChallengeNames.Dns01(context.Identifier);
}
