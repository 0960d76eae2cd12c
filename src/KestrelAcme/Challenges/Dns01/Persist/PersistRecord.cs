using System.Globalization;
using System.Text.Json;
using KestrelAcme.Challenges.Dns01.Caa;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// The record of dns-persist-01, as draft-ietf-acme-dns-persist-01 has it: <c>_validation-persist.NAME TXT "ISSUER; accounturi=URL[; policy=wildcard][; persistUntil=SECONDS]"</c>.
/// All that is known of the format is here. Pure.
/// </summary>
internal static class PersistRecord
{
    private const string IssuersMember = "issuer-domain-names";

    public static string NameOf(string domain) => $"_validation-persist.{domain}";

    /// <summary>The issuer names that the challenge offers; failing that, the authority's names in CAA records.</summary>
    public static IReadOnlyList<string> IssuersOf(ChallengeContext context)
    {
        if (context.OtherMembers.TryGetValue(IssuersMember, out var member) && member.ValueKind == JsonValueKind.Array)
        {
            var names = member.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!).Where(name => DnsClient.DnsName.TryParse(name, out _)).ToList();
            if (names.Count > 0)
            {
                return names;
            }
        }

        return context.CaaIdentities;
    }

    /// <summary>The record to create.</summary>
    public static RequiredDnsRecord RecordFor(PersistRequest request) => new(
        NameOf(request.Domain), "TXT", $"\"{request.Issuers[0]}; accounturi={request.AccountUrl.OriginalString}{(request.Wildcard ? "; policy=wildcard" : "")}\"");

    /// <summary>Whether a value lets this account prove the name now. Parameters that are not known are passed over.</summary>
    public static bool Allows(string value, PersistRequest request, DateTimeOffset now)
    {
        var property = CaaProperty.Parse(value);
        return property.Parameters is not null
            && request.Issuers.Any(issuer => string.Equals(issuer.TrimEnd('.'), property.Issuer, StringComparison.OrdinalIgnoreCase))
            && property.ValuesOf("accounturi") is [var account] && account == request.AccountUrl.OriginalString
            && (!request.Wildcard || property.ValuesOf("policy").Any(policy => string.Equals(policy, "wildcard", StringComparison.OrdinalIgnoreCase)))
            && property.ValuesOf("persistuntil").All(until => long.TryParse(until, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > now.ToUnixTimeSeconds());
    }
}
