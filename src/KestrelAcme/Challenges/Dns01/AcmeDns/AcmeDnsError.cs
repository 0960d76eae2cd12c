namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>An error of the server.</summary>
internal sealed record AcmeDnsError(string? Error);
