namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// Responds to dns-persist-01 challenges with a record that an operator creates once and keeps. KestrelAcme creates and deletes nothing, so
/// it needs no credentials for the zone.
/// </summary>
internal sealed class DnsPersist01ChallengeHandler(PersistCheck check) : IChallengeHandler
{
    public const string Type = "dns-persist-01";

    public string ChallengeType => Type;

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public async Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var directory = new PersistDirectory(context.IssuerDomainNames, context.AccountHashPrefix, context.CaaIdentities);
        var issuers = PersistIssuers.Of(context.Identifier, context.OtherMembers, directory);
        var account = new PersistAccount(context.AccountUrl, context.AccountThumbprint, context.ProveAccountAsync);
        var request = PersistCheck.Request(context.Identifier, context.Wildcard, account, issuers, directory);
        var end = await check.CheckAsync([request], cancellationToken);
        context.NoteRecordEnd?.Invoke(end);
    }

    // The record was checked when the challenge was prepared, and has existed for long.
    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => Task.CompletedTask;
}
