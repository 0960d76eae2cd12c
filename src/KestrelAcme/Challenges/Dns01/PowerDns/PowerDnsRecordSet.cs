namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>The records of a name and type.</summary>
internal sealed record PowerDnsRecordSet(string Name, string Type, long? Ttl = null, string? Changetype = null, IReadOnlyList<PowerDnsRecord>? Records = null);
