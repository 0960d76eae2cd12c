namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>A record; <see cref="Id"/> is the API's.</summary>
internal sealed record CloudflareRecord(string Type, string Name, string Content, long? Ttl = null, string? Id = null);
