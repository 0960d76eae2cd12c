using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Validates dns-01 (RFC 8555 section 8.4).</summary>
internal sealed class Dns01Validator(TxtRecords records) : IChallengeValidator
{
    public string Type => ChallengeTypes.Dns01;

    public Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
        => DnsDigestCheck.RunAsync(records, $"_acme-challenge.{target.Identifier.Value}", target, cancellationToken);
}

/// <summary>The common part of dns-01 and dns-account-01: a TXT record contains the digest of the key authorization.</summary>
internal static class DnsDigestCheck
{
    public static async Task<Problem?> RunAsync(
        TxtRecords records, string name, ChallengeTarget target, CancellationToken cancellationToken)
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

/// <summary>Looks up TXT records with the function in the options.</summary>
internal sealed class TxtRecords(LocalAcmeAuthorityOptions options)
{
    /// <summary>Returns the values of a name, or why they could not be looked up.</summary>
    public async Task<(IReadOnlyList<string> Values, Problem? Problem)> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (options.TxtLookup is not { } lookup)
        {
            var missing = $"The local authority cannot look up TXT records of {name}: its option TxtLookup is not set.";
            return ([], Problem.Of("dns", 400, missing));
        }

        try
        {
            return (await lookup(name, cancellationToken), null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return ([], Problem.Of("dns", 400, $"Looking up TXT records of {name} failed: {e.Message}"));
        }
    }
}
