namespace KestrelAcme.Challenges.Dns01;

/// <summary>Answers dns-account-01 challenges (draft-ietf-acme-dns-account-label): dns-01 under a label of the account.</summary>
internal sealed class DnsAccount01ChallengeHandler(DnsChallengeFlow flow) : DnsRecordChallengeHandler(flow)
{
    public override string ChallengeType => "dns-account-01";

    protected override string NameOf(ChallengeContext context) => DnsChallengeNames.DnsAccount01(context.Identifier, context.AccountUrl);
}
