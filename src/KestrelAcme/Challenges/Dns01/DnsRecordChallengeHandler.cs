namespace KestrelAcme.Challenges.Dns01;

/// <summary>Answers challenges with a TXT record; the types differ in the record's name alone.</summary>
internal abstract class DnsRecordChallengeHandler(DnsChallengeFlow flow) : IChallengeHandler
{
    public abstract string ChallengeType { get; }

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.PrepareAsync(context, NameOf(context), cancellationToken);

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.WaitUntilVisibleAsync(context, NameOf(context), cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken) => flow.CleanUpAsync(context, NameOf(context), cancellationToken);

    public ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken) => flow.ExplainFailureAsync(context, NameOf(context), cancellationToken);

    /// <summary>The name of the record.</summary>
    protected abstract string NameOf(ChallengeContext context);
}
