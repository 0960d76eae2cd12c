namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>A zone, or a change of one, as the API writes it.</summary>
internal sealed record PowerDnsZone(string? Kind = null, IReadOnlyList<PowerDnsRecordSet>? Rrsets = null);
