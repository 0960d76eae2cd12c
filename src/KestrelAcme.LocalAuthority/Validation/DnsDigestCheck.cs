using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>What dns-01 and dns-account-01 have in common: a TXT record holds the digest of the key authorization.</summary>
internal static class DnsDigestCheck
{
    public static async Task<Problem?> RunAsync(TxtRecords records, string name, ChallengeTarget target, CancellationToken cancellationToken)
    {
        var (values, problem) = await records.FindAsync(name, cancellationToken);
        if (problem is not null)
        {
            return problem;
        }

        var expected = Encoding.ASCII.GetBytes(Base64UrlText.Encode(target.KeyAuthorizationDigest()));
        return values.Any(v => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(v), expected))
            ? null
            : Problem.Unauthorized($"None of the {values.Count} TXT records of {name} holds the digest of the key authorization.");
    }
}
