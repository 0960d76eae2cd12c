namespace KestrelAcme.Challenges.Dns01.AcmeDns;

/// <summary>A value to add; the server keeps the last two.</summary>
internal sealed record AcmeDnsUpdate(string Subdomain, string Txt);
