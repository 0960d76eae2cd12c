using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Validates challenges of one type.</summary>
internal interface IChallengeValidator
{
    string Type { get; }

    /// <summary>Returns null if the validation succeeded, otherwise the reason.</summary>
    Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken);
}

/// <summary>The expected response to a challenge, and where to find it.</summary>
internal sealed record ChallengeTarget(Identifier Identifier, string Token, string KeyAuthorization)
{
    /// <summary>Whether the wildcard of the identifier is to be validated.</summary>
    public bool Wildcard { get; init; }

    /// <summary>The URL of the account that placed the order.</summary>
    public string AccountUrl { get; init; } = "";

    /// <summary>The thumbprints of the account's current and earlier keys, newest first.</summary>
    public IReadOnlyList<string> AccountThumbprints { get; init; } = [];

    /// <summary>The prefix of the account URI in a dns-persist-01 record; null in draft -01.</summary>
    public string? AccountHashPrefix { get; init; }

    /// <summary>The names that may identify the CA in a dns-persist-01 record.</summary>
    public IReadOnlyList<string> IssuerDomainNames { get; init; } = [];

    public byte[] KeyAuthorizationDigest() => SHA256.HashData(Encoding.ASCII.GetBytes(KeyAuthorization));
}
