using System.Globalization;
using System.Text.Json;
using KestrelAcme.Protocol.Directories;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// The CA's names in dns-persist-01 records, from its challenge or, before there is one, its directory. Checked as
/// draft-ietf-acme-dns-persist-02 sections 3.1 and 3.2 require of a client. Pure.
/// </summary>
internal static class PersistIssuers
{
    /// <summary>The maximum number of names in a challenge.</summary>
    public const int MostNames = 10;

    private const string Member = "issuerDomainNames";
    private const string MemberOfDraft01 = "issuer-domain-names";
    private const int LongestName = 253;

    /// <summary>Returns the names that are known before there is a challenge.</summary>
    /// <returns><see langword="null"/> if only a challenge will contain them.</returns>
    public static IReadOnlyList<string>? BeforeAnyChallenge(PersistDirectory directory)
    {
        if (directory.IssuerDomainNames.Count > 0)
        {
            return AreOffered(directory.IssuerDomainNames) ? directory.IssuerDomainNames : null;
        }

        // Draft -01 has no such list. CAs that implement it use their names in CAA records.
        return NamesOfDraft01(directory);
    }

    /// <summary>
    /// Returns the names in a challenge. For a challenge of draft -01 without names, returns the CA's names in CAA records.
    /// </summary>
    /// <exception cref="ChallengeException">The challenge is malformed according to the draft.</exception>
    public static IReadOnlyList<string> Of(string domain, IReadOnlyDictionary<string, JsonElement> members, PersistDirectory directory)
    {
        if (members.TryGetValue(Member, out var offered))
        {
            var names = Read(domain, offered);
            RequireAgreement(domain, names, directory);
            return names;
        }

        return members.TryGetValue(MemberOfDraft01, out offered) ? Read(domain, offered)
            : NamesOfDraft01(directory) ?? throw Malformed(domain, "it does not contain the CA's name in records");
    }

    /// <summary>Whether a name has the form that is compared byte by byte: lower-case A-labels without a trailing dot.</summary>
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
            throw Malformed(domain, $"it must contain 1 to {MostNames} names of the CA in records");
        }

        var names = offered.EnumerateArray().Select(TextOf).OfType<string>().Where(IsNormal).Distinct(StringComparer.Ordinal).ToList();
        return names.Count > 0
            ? names
            : throw Malformed(domain, "it contains no domain name in lower case without a trailing dot");
    }

    private static void RequireAgreement(string domain, List<string> names, PersistDirectory directory)
    {
        if (AreOffered(directory.IssuerDomainNames)
            && directory.IssuerDomainNames.FirstOrDefault(name => !names.Contains(name)) is { } missing)
        {
            throw Malformed(domain, $"it does not contain {missing}, which the directory contains");
        }

        if (Normal(directory.CaaIdentities) is { } identities && names.Find(name => !identities.Contains(name)) is { } stranger)
        {
            throw Malformed(domain, $"it contains {stranger}, which is not one of the directory's caaIdentities");
        }
    }

    private static bool AreOffered(IReadOnlyList<string> names) => names.Count is > 0 and <= MostNames && names.All(IsNormal);

    /// <returns><see langword="null"/> if there are none, or one is not a domain name, so that nothing can be compared.</returns>
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
            // A JSON escape that is not valid UTF-16.
            return null;
        }
    }

    private static ChallengeException Malformed(string domain, string why)
        => new($"{domain}: the CA's dns-persist-01 challenge is malformed: {why}. Allow another type in ChallengeTypes, or tell the CA.")
        {
            Fault = ChallengeFault.Operator,
        };
}

/// <summary>What a CA's directory says about dns-persist-01.</summary>
/// <param name="IssuerDomainNames">The CA's names in records (draft -02); empty if the directory has none.</param>
/// <param name="AccountHashPrefix">The prefix of hashed account URIs (draft -02).</param>
/// <param name="CaaIdentities">The CA's names in CAA records.</param>
internal sealed record PersistDirectory(
    IReadOnlyList<string> IssuerDomainNames, string? AccountHashPrefix, IReadOnlyList<string> CaaIdentities)
{
    public static PersistDirectory Of(AcmeDirectoryMeta meta) => new(meta.IssuerDomainNames, meta.AccountHashPrefix, meta.CaaIdentities);
}
