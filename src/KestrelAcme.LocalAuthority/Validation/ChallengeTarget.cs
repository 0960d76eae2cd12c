using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>What a validator has to find, and where.</summary>
internal sealed record ChallengeTarget(Identifier Identifier, string Token, string KeyAuthorization)
{
    public byte[] KeyAuthorizationDigest() => SHA256.HashData(Encoding.ASCII.GetBytes(KeyAuthorization));
}
