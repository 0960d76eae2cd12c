using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>What a validator has to find, and where.</summary>
internal sealed record ChallengeTarget(Identifier Identifier, string Token, string KeyAuthorization)
{
    /// <summary>Whether the wildcard of the identifier is to be proved.</summary>
    public bool Wildcard { get; init; }

    /// <summary>The URL of the account that ordered.</summary>
    public string AccountUrl { get; init; } = "";

    /// <summary>The thumbprints of the account's key and of those that it had before, the newest first.</summary>
    public IReadOnlyList<string> AccountThumbprints { get; init; } = [];

    /// <summary>What the account URI in a record of dns-persist-01 begins with; null in draft -01.</summary>
    public string? AccountHashPrefix { get; init; }

    /// <summary>The names by which a record of dns-persist-01 may know the authority.</summary>
    public IReadOnlyList<string> IssuerDomainNames { get; init; } = [];

    public byte[] KeyAuthorizationDigest() => SHA256.HashData(Encoding.ASCII.GetBytes(KeyAuthorization));
}
