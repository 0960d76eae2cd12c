namespace KestrelAcme.Configuration;

/// <summary>A public ACME authority that can be named instead of giving its URL.</summary>
/// <param name="Name">The name, as it is written in the configuration.</param>
/// <param name="DirectoryUrl">The URL of its directory.</param>
/// <param name="NeedsExternalAccountBinding">Whether it takes accounts only with an external account binding (RFC 8555 section 7.3.4).</param>
/// <param name="NeedsEmailAddress">Whether it takes accounts only with an e-mail address.</param>
/// <param name="StagingTwin">The name of its staging service, if it has one: same rules, untrusted certificates, generous limits.</param>
public sealed record WellKnownAuthority(string Name, Uri DirectoryUrl, bool NeedsExternalAccountBinding, bool NeedsEmailAddress, string? StagingTwin);
