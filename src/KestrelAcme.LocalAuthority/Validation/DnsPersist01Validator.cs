using System.Globalization;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>dns-persist-01, draft-ietf-acme-dns-persist-01: a record that stays names the authority and the account.</summary>
internal sealed class DnsPersist01Validator(TxtRecords records, TimeProvider time) : IChallengeValidator
{
    public string Type => ChallengeTypes.DnsPersist01;

    public async Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
    {
        var name = $"_validation-persist.{target.Identifier.Value}";
        var (values, problem) = await records.FindAsync(name, cancellationToken);
        return problem ?? (values.Any(value => Allows(value, target))
            ? null
            : Problem.Unauthorized($"None of the {values.Count} TXT records of {name} allows the account {target.AccountUrl}{(target.Wildcard ? " the wildcard" : "")}."));
    }

    private bool Allows(string value, ChallengeTarget target)
    {
        string[] parts = value.Split(';', StringSplitOptions.TrimEntries);
        var parameters = parts.Skip(1).Select(part => part.Split('=', 2, StringSplitOptions.TrimEntries)).Where(part => part.Length == 2).ToLookup(part => part[0].ToLowerInvariant(), part => part[1]);
        return target.IssuerDomainNames.Contains(parts[0].TrimEnd('.'), StringComparer.OrdinalIgnoreCase)
            && parameters["accounturi"].SequenceEqual([target.AccountUrl])
            && (!target.Wildcard || parameters["policy"].Contains("wildcard", StringComparer.OrdinalIgnoreCase))
            && parameters["persistuntil"].All(until => long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && time.GetUtcNow().ToUnixTimeSeconds() <= end);
    }
}
