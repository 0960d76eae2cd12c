namespace KestrelAcme.Challenges.Dns01;

/// <summary>Answers dns-01 challenges (RFC 8555 section 8.4) with a TXT record.</summary>
internal sealed class Dns01ChallengeHandler(DnsChallengeFlow flow) : DnsRecordChallengeHandler(flow)
{
    public override string ChallengeType => "dns-01";

    protected override string NameOf(ChallengeContext context) => DnsChallengeNames.Dns01(context.Identifier);
}
