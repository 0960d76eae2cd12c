namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>A zone.</summary>
internal sealed record CloudflareZone(string Id, string Name);
