using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>
/// Validates dns-persist-01: a persistent record names the CA and the account. In draft-ietf-acme-dns-persist-02, the account is
/// identified by a hash, and issuers are compared octet by octet. In draft -01, it is identified by its URL, and issuers are normalized
/// first, as Boulder does.
/// </summary>
internal sealed class DnsPersist01Validator(TxtRecords records, TimeProvider time) : IChallengeValidator
{
    private static readonly string[] Known = ["accounturi", "policy", "persistuntil"];

    public string Type => ChallengeTypes.DnsPersist01;

    public async Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
    {
        var name = $"_validation-persist.{target.Identifier.Value}";
        var (values, problem) = await records.FindAsync(name, cancellationToken);
        if (problem is not null || values.Any(value => Allows(value, target)))
        {
            return problem;
        }

        var scope = target.Wildcard ? " the wildcard" : "";
        return Problem.Unauthorized($"None of the {values.Count} TXT records of {name} allows the account {target.AccountUrl}{scope}.");
    }

    private bool Allows(string value, ChallengeTarget target)
    {
        var separator = value.IndexOf(';', StringComparison.Ordinal);
        return separator >= 0
            && IsIssuer(value[..separator].Trim(' ', '\t'), target)
            && Parameters(value[(separator + 1)..]) is { } parameters
            && parameters.TryGetValue("accounturi", out var account) && AccountUris(target).Contains(account, StringComparer.Ordinal)
            && (!target.Wildcard || string.Equals(parameters.GetValueOrDefault("policy"), "wildcard", StringComparison.OrdinalIgnoreCase))
            && (parameters.GetValueOrDefault("persistuntil") is not { } until || IsAhead(until));
    }

    private bool IsAhead(string seconds)
        => long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            && time.GetUtcNow().ToUnixTimeSeconds() <= end;

    private static bool IsIssuer(string issuer, ChallengeTarget target) => target.AccountHashPrefix is null
        ? target.IssuerDomainNames.Contains(issuer.TrimEnd('.'), StringComparer.OrdinalIgnoreCase)
        : target.IssuerDomainNames.Contains(issuer, StringComparer.Ordinal);

    // RFC 8659 section 4.2. Null if malformed, such as nothing after the last semicolon, or a duplicate parameter.
    private static Dictionary<string, string>? Parameters(string text)
    {
        var found = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';'))
        {
            var pair = part.Trim(' ', '\t').Split('=', 2);
            if (pair.Length < 2 || pair[0].Trim(' ', '\t') is not { Length: > 0 } tag)
            {
                return null;
            }

            var content = pair[1].Trim(' ', '\t');
            if (content.Any(c => c is < '!' or > '~'))
            {
                return null;
            }

            if (Known.Contains(tag, StringComparer.OrdinalIgnoreCase) && !found.TryAdd(tag, content))
            {
                return null;
            }
        }

        return found;
    }

    private static IEnumerable<string> AccountUris(ChallengeTarget target) => target.AccountHashPrefix is not { } prefix
        ? [target.AccountUrl]
        : from thumbprint in target.AccountThumbprints
          from domain in new[] { target.Identifier.Value, "*" }
          select $"{prefix}sha-256/{Hash(domain, thumbprint, target.AccountUrl)}";

    private static string Hash(string domain, string thumbprint, string accountUrl)
    {
        using var input = new MemoryStream();
        input.WriteByte((byte)domain.Length);
        input.Write(Encoding.ASCII.GetBytes(domain + thumbprint + accountUrl));
        return Base64UrlText.Encode(SHA256.HashData(input.ToArray()));
    }
}
