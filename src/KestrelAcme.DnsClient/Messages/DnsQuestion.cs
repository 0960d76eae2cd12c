namespace KestrelAcme.DnsClient.Messages;

/// <summary>What is asked: in updates, the zone.</summary>
internal sealed record DnsQuestion(DnsName Name, DnsRecordType Type);
