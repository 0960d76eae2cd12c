namespace KestrelAcme.Challenges.Dns01;

/// <summary>Responds to challenges with a TXT record. The challenge types differ only in the record's name.</summary>
internal abstract class DnsRecordChallengeHandler(DnsChallengeFlow flow) : IChallengeHandler, IConfirmedChallengeHandler
{
    public abstract string ChallengeType { get; }

    public bool CanHandle(string identifierType, string value, bool wildcard) => identifierType == "dns";

    public Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.PrepareAsync(context, NameOf(context), cancellationToken);

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.WaitUntilVisibleAsync(context, NameOf(context), cancellationToken);

    public Task ConfirmAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.ConfirmAsync(context, NameOf(context), cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.CleanUpAsync(context, NameOf(context), cancellationToken);

    public ValueTask<string?> ExplainFailureAsync(ChallengeContext context, CancellationToken cancellationToken)
        => flow.ExplainFailureAsync(context, NameOf(context), cancellationToken);

    /// <summary>Returns the name of the record.</summary>
    protected abstract string NameOf(ChallengeContext context);
}

/// <summary>Responds to dns-01 challenges (RFC 8555 section 8.4) with a TXT record.</summary>
internal sealed class Dns01ChallengeHandler(DnsChallengeFlow flow) : DnsRecordChallengeHandler(flow)
{
    public override string ChallengeType => "dns-01";

    protected override string NameOf(ChallengeContext context) => DnsChallengeNames.Dns01(context.Identifier);
}

/// <summary>
/// Responds to dns-account-01 challenges (draft-ietf-acme-dns-account-label): like dns-01, but below a label of the account.
/// </summary>
internal sealed class DnsAccount01ChallengeHandler(DnsChallengeFlow flow) : DnsRecordChallengeHandler(flow)
{
    public override string ChallengeType => "dns-account-01";

    protected override string NameOf(ChallengeContext context) => DnsChallengeNames.DnsAccount01(context.Identifier, context.AccountUrl);
}
