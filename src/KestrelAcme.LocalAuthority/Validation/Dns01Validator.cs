using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>dns-01, RFC 8555 section 8.4, through the look-up that the options name.</summary>
internal sealed class Dns01Validator(LocalAcmeAuthorityOptions options) : IChallengeValidator
{
    public string Type => ChallengeTypes.Dns01;

    public async Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
    {
        var name = "_acme-challenge." + target.Identifier.Value;
        if (options.TxtLookup is not { } lookup)
        {
            return Problem.Of("dns", 400, $"The local authority cannot look up TXT records of {name}: its option TxtLookup is not set.");
        }

        IReadOnlyList<string> values;
        try
        {
            values = await lookup(name, cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Problem.Of("dns", 400, $"Looking up TXT records of {name}: {e.Message}");
        }

        var expected = Encoding.ASCII.GetBytes(Base64UrlText.Encode(target.KeyAuthorizationDigest()));
        return values.Any(v => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(v), expected))
            ? null
            : Problem.Unauthorized($"None of the {values.Count} TXT records of {name} holds the digest of the key authorization.");
    }
}
