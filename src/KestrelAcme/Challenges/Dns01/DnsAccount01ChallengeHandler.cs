namespace KestrelAcme.Challenges.Dns01;

/// <summary>Answers dns-account-01 challenges (draft-ietf-acme-dns-account-label): dns-01 under a label of the account.</summary>
internal sealed class DnsAccount01ChallengeHandler(DnsChallengeFlow flow) : IChallengeHandler
{
    public string ChallengeType => "dns-account-01";

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.PrepareAsync(context, NameOf(context), cancellationToken);

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.WaitUntilVisibleAsync(context, NameOf(context), cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => flow.CleanUpAsync(context, NameOf(context), cancellationToken);

    public ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken) => flow.ExplainFailureAsync(context, NameOf(context), cancellationToken);

    private static string NameOf(ChallengeContext context) => DnsChallengeNames.DnsAccount01(context.Identifier, context.AccountUrl);
}
