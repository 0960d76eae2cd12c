using System.Globalization;
using System.Text.Json;
using KestrelAcme.Protocol.Directories;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// The names by which records of dns-persist-01 know an authority: as its challenge gives them, or, before there is one, its directory.
/// Held to what draft-ietf-acme-dns-persist-02 sections 3.1 and 3.2 ask of a client. Pure.
/// </summary>
internal static class PersistIssuers
{
    /// <summary>The most names that a challenge may offer.</summary>
    public const int MostNames = 10;

    private const string Member = "issuerDomainNames";
    private const string MemberOfDraft01 = "issuer-domain-names";
    private const int LongestName = 253;

    /// <summary>The names that are known before there is a challenge.</summary>
    /// <returns><see langword="null"/>: only a challenge will tell.</returns>
    public static IReadOnlyList<string>? BeforeAnyChallenge(PersistDirectory directory)
    {
        if (directory.IssuerDomainNames.Count > 0)
        {
            return AreOffered(directory.IssuerDomainNames) ? directory.IssuerDomainNames : null;
        }

        // Draft -01 has no such list; its authorities use the names of CAA records.
        return NamesOfDraft01(directory);
    }

    /// <summary>
    /// The names that a challenge offers; a challenge of draft -01 without any is one for the authority's names in CAA records.
    /// </summary>
    /// <exception cref="ChallengeException">The challenge is malformed, as the draft defines it.</exception>
    public static IReadOnlyList<string> Of(string domain, IReadOnlyDictionary<string, JsonElement> members, PersistDirectory directory)
    {
        if (members.TryGetValue(Member, out var offered))
        {
            var names = Read(domain, offered);
            RequireAgreement(domain, names, directory);
            return names;
        }

        return members.TryGetValue(MemberOfDraft01, out offered) ? Read(domain, offered)
            : NamesOfDraft01(directory) ?? throw Malformed(domain, "it does not say by which name a record knows the authority");
    }

    /// <summary>Whether a name has the form that both sides compare octet by octet: A-labels in lower case, without a final dot.</summary>
    public static bool IsNormal(string? name)
        => name is { Length: > 0 and <= LongestName }
            && name.Split('.').All(label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-'
                && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'));

    private static List<string>? NamesOfDraft01(PersistDirectory directory)
        => directory is { AccountHashPrefix: null, CaaIdentities.Count: > 0 }
            ? [.. directory.CaaIdentities.Select(identity => ToNormal(identity) ?? identity)]
            : null;

    private static List<string> Read(string domain, JsonElement offered)
    {
        if (offered.ValueKind != JsonValueKind.Array || offered.GetArrayLength() is 0 or > MostNames)
        {
            throw Malformed(domain, $"it must offer 1 to {MostNames} names by which a record knows the authority");
        }

        var names = offered.EnumerateArray().Select(TextOf).OfType<string>().Where(IsNormal).Distinct(StringComparer.Ordinal).ToList();
        return names.Count > 0 ? names : throw Malformed(domain, "it offers no domain name in lower case without a final dot");
    }

    private static void RequireAgreement(string domain, List<string> names, PersistDirectory directory)
    {
        if (AreOffered(directory.IssuerDomainNames)
            && directory.IssuerDomainNames.FirstOrDefault(name => !names.Contains(name)) is { } missing)
        {
            throw Malformed(domain, $"it does not offer {missing}, which the directory names");
        }

        if (Normal(directory.CaaIdentities) is { } identities && names.Find(name => !identities.Contains(name)) is { } stranger)
        {
            throw Malformed(domain, $"it offers {stranger}, which is not among the directory's caaIdentities");
        }
    }

    private static bool AreOffered(IReadOnlyList<string> names) => names.Count is > 0 and <= MostNames && names.All(IsNormal);

    /// <returns><see langword="null"/>: there are none, or one that is no name, so that nothing can be compared.</returns>
    private static HashSet<string>? Normal(IReadOnlyList<string> identities)
    {
        var normal = new HashSet<string>(StringComparer.Ordinal);
        foreach (var identity in identities)
        {
            if (ToNormal(identity) is not { } name)
            {
                return null;
            }

            normal.Add(name);
        }

        return normal.Count > 0 ? normal : null;
    }

    private static string? ToNormal(string identity)
    {
        try
        {
            var name = new IdnMapping().GetAscii(identity.EndsWith('.') ? identity[..^1] : identity).ToLowerInvariant();
            return IsNormal(name) ? name : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string? TextOf(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // An escape that is no valid UTF-16.
            return null;
        }
    }

    private static ChallengeException Malformed(string domain, string why)
        => new($"{domain}: the authority's dns-persist-01 challenge is malformed: {why}. Allow another type in ChallengeTypes, or tell the authority.")
        {
            Fault = ChallengeFault.Operator,
        };
}

/// <summary>What an authority says about dns-persist-01 in its directory.</summary>
/// <param name="IssuerDomainNames">The names by which records know it (draft -02); empty where it does not say.</param>
/// <param name="AccountHashPrefix">What hashed account URIs begin with (draft -02).</param>
/// <param name="CaaIdentities">The names by which CAA records know it.</param>
internal sealed record PersistDirectory(
    IReadOnlyList<string> IssuerDomainNames, string? AccountHashPrefix, IReadOnlyList<string> CaaIdentities)
{
    public static PersistDirectory Of(AcmeDirectoryMeta meta) => new(meta.IssuerDomainNames, meta.AccountHashPrefix, meta.CaaIdentities);
}
