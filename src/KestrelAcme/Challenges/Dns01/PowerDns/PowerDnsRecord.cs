namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>One record; the content of a TXT is in quotes.</summary>
internal sealed record PowerDnsRecord(string Content, bool Disabled = false);
