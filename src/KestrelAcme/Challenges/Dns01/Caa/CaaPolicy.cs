using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>Evaluates CAA records as a CA must (RFC 8659 sections 4.2 and 4.3, RFC 8657). Pure.</summary>
internal static class CaaPolicy
{
    private const int MaxShown = 5;
    private const int MaxShownLength = 200;
    private const string Issue = "issue";
    private const string IssueWild = "issuewild";
    private const string AccountUri = "accounturi";
    private const string ValidationMethods = "validationmethods";

    // Registered properties that do not concern server certificates.
    private static readonly string[] OtherTags = ["iodef", "contactemail", "contactphone", "issuemail", "issuevmc"];

    public static CaaVerdict Judge(IReadOnlyList<CaaRecord> records, CaaSubject subject, CaaRequest request)
    {
        var relevant = Relevant(records, subject.Wildcard);
        var properties = relevant.Select(record => CaaProperty.Parse(record.Value)).ToList();
        if (properties.Count > 0 && !properties.Any(property => Allows(property, request)))
        {
            return new CaaVerdict(CaaVerdictKind.Forbidden, Explain(relevant[0].Tag.ToLowerInvariant(), properties, request));
        }

        var unknown = records.FirstOrDefault(r => r.IsCritical
            && !IsTag(r, Issue) && !IsTag(r, IssueWild) && !OtherTags.Contains(r.Tag, StringComparer.OrdinalIgnoreCase));
        return unknown is null
            ? CaaVerdict.Allowed
            : new CaaVerdict(
                CaaVerdictKind.Doubtful,
                $"has a critical property '{Shown(unknown.Tag)}', and a CA that does not support it must refuse");
    }

    /// <summary>
    /// Whether a record allows a CA for certain accounts only, which excludes other accounts, such as that of its staging environment.
    /// </summary>
    public static bool NamesAccount(IReadOnlyList<CaaRecord> records, CaaSubject subject, IReadOnlyList<string> caaIdentities)
        => Relevant(records, subject.Wildcard)
            .Select(record => CaaProperty.Parse(record.Value))
            .Any(p => IsIssuer(p, caaIdentities) && p.ValuesOf(AccountUri).Count > 0);

    /// <summary>Returns the record to add so that an order is allowed.</summary>
    public static RequiredDnsRecord RecordToAdd(string owner, bool wildcard, CaaRequest request)
        => new(owner, "CAA", $"0 {(wildcard ? IssueWild : Issue)} \"{request.CaaIdentities[0]}\"");

    /// <summary>Returns the relevant properties: for a wildcard, those of issuewild if there are any.</summary>
    private static List<CaaRecord> Relevant(IReadOnlyList<CaaRecord> records, bool wildcard)
    {
        var wild = wildcard ? records.Where(r => IsTag(r, IssueWild)).ToList() : [];
        return wild.Count > 0 ? wild : [.. records.Where(r => IsTag(r, Issue))];
    }

    private static bool IsTag(CaaRecord record, string tag) => string.Equals(record.Tag, tag, StringComparison.OrdinalIgnoreCase);

    private static bool Allows(CaaProperty property, CaaRequest request)
        => IsIssuer(property, request)
            && property.Parameters is not null
            && AllowsAccount(property, request)
            && AllowsMethods(property, request);

    private static bool IsIssuer(CaaProperty property, CaaRequest request) => IsIssuer(property, request.CaaIdentities);

    private static bool IsIssuer(CaaProperty property, IReadOnlyList<string> caaIdentities)
        => property.Issuer.Length > 0
            && caaIdentities.Any(identity => string.Equals(identity.TrimEnd('.'), property.Issuer, StringComparison.OrdinalIgnoreCase));

    // RFC 8657 section 3: more than one value allows no account.
    private static bool AllowsAccount(CaaProperty property, CaaRequest request)
        => property.ValuesOf(AccountUri) is var values
            && (values.Count == 0 || (values.Count == 1 && values[0] == request.AccountUrl.OriginalString));

    private static bool AllowsMethods(CaaProperty property, CaaRequest request)
        => property.ValuesOf(ValidationMethods) is var values
            && (values.Count == 0
                || values.SelectMany(value => value.Split(','))
                    .Any(method => request.ChallengeTypes.Contains(method.Trim(), StringComparer.OrdinalIgnoreCase)));

    private static string Explain(string tag, List<CaaProperty> properties, CaaRequest request)
    {
        var own = properties.Where(property => IsIssuer(property, request)).ToList();
        if (own.Count == 0)
        {
            var issuers = properties.Select(p => p.Issuer.Length == 0 ? "nobody" : p.Issuer).Distinct();
            return $"allows ({tag}) {Shown(issuers)}, not {string.Join(" or ", request.CaaIdentities)}";
        }

        if (own.TrueForAll(property => property.Parameters is null))
        {
            return $"has a malformed parameter in its {tag} property for {Shown(own[0].Issuer)}";
        }

        return own.TrueForAll(property => !AllowsAccount(property, request))
            ? $"allows ({tag}) {Shown(own[0].Issuer)} for the account {Shown(own.SelectMany(p => p.ValuesOf(AccountUri)))} only, "
                + $"not for {QuotedText.Of(request.AccountUrl)}"
            : $"allows ({tag}) {Shown(own[0].Issuer)} "
                + $"with {ValidationMethods}={Shown(own.SelectMany(p => p.ValuesOf(ValidationMethods)))} only, "
                + $"and ChallengeTypes is {string.Join(", ", request.ChallengeTypes)}";
    }

    // A record contains up to 64 KB of text that the owner of the name chose.
    private static string Shown(string text) => QuotedText.Of(text, MaxShownLength);

    private static string Shown(IEnumerable<string> texts)
    {
        var some = texts.Take(MaxShown + 1).ToList();
        return string.Join(", ", some.Take(MaxShown).Select(Shown)) + (some.Count > MaxShown ? ", ..." : "");
    }
}

/// <summary>The value of an <c>issue</c> or <c>issuewild</c> property (RFC 8659 section 4.2).</summary>
/// <param name="Issuer">The issuer's domain name in lower case; may be empty.</param>
/// <param name="Parameters">
/// The parameters in order, with lower-case tags; <see langword="null"/> if they are malformed, in which case a CA must not issue.
/// </param>
internal sealed record CaaProperty(string Issuer, IReadOnlyList<KeyValuePair<string, string>>? Parameters)
{
    private static readonly char[] Blank = [' ', '\t'];

    public static CaaProperty Parse(string value)
    {
        var parts = value.Split(';');
        var parameters = new List<KeyValuePair<string, string>>();
        foreach (var part in parts.Skip(1).Select(part => part.Trim(Blank)).Where(part => part.Length > 0))
        {
            var equals = part.IndexOf('=');
            if (equals <= 0)
            {
                return new CaaProperty(Domain(parts[0]), null);
            }

            parameters.Add(new(part[..equals].Trim(Blank).ToLowerInvariant(), part[(equals + 1)..].Trim(Blank)));
        }

        return new CaaProperty(Domain(parts[0]), parameters);
    }

    /// <summary>Returns the values of a parameter.</summary>
    public IReadOnlyList<string> ValuesOf(string tag) => [.. (Parameters ?? []).Where(p => p.Key == tag).Select(p => p.Value)];

    private static string Domain(string text) => text.Trim(Blank).TrimEnd('.').ToLowerInvariant();
}

/// <summary>Whether CAA records allow a CA to issue.</summary>
/// <param name="Kind">The result.</param>
/// <param name="Reason">Why, to be appended to the name of the records' owner; empty if it is allowed.</param>
internal sealed record CaaVerdict(CaaVerdictKind Kind, string Reason)
{
    public static CaaVerdict Allowed { get; } = new(CaaVerdictKind.Allowed, "");
}

/// <summary>What CAA records mean for an order.</summary>
internal enum CaaVerdictKind
{
    /// <summary>No record forbids it.</summary>
    Allowed,

    /// <summary>It depends on whether the CA supports a property that is unknown here.</summary>
    Doubtful,

    /// <summary>The records forbid it.</summary>
    Forbidden,
}
