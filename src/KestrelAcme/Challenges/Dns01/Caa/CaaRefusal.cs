namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>Why an order for a name is forbidden, and what would allow it.</summary>
internal sealed record CaaRefusal(string Reason, RequiredDnsRecord RecordToAdd);
