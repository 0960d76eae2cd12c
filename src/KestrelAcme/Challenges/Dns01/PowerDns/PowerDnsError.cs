namespace KestrelAcme.Challenges.Dns01.PowerDns;

/// <summary>An error of the API.</summary>
internal sealed record PowerDnsError(string? Error, IReadOnlyList<string>? Errors = null);
