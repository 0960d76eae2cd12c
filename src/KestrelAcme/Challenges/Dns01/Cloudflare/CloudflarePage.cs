namespace KestrelAcme.Challenges.Dns01.Cloudflare;

/// <summary>Which page of a list an answer is.</summary>
internal sealed record CloudflarePage(int Page, int TotalPages);
