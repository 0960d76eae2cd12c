namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>One record; the content of a TXT is in quotes.</summary>
internal sealed record PowerDnsRecord(string Content, bool Disabled = false);

/// <summary>A record that a search found.</summary>
internal sealed record PowerDnsFound(string? Name, string? Zone, string? Type, string? Content, long? Ttl = null, bool Disabled = false);
