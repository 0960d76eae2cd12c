using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Binds and checks certificates: <c>DomainNames</c> and <c>Certificates</c> become one specification for each name or group, and for each
/// key algorithm.
/// </summary>
internal sealed class CertificateReader(
    EquatableArray<string> challengeTypes,
    EquatableArray<KeyAlgorithm> keyAlgorithms,
    EquatableArray<AuthoritySpecification> authorities,
    EnvironmentFacts facts,
    ProblemList problems)
{
    private const int MaxNamesInGroup = 100;

    private readonly bool _onlyPublicAuthorities = DomainNameRules.OnlyPublic(authorities);
    private readonly bool _mayPreApprove = DomainNameRules.MayPreApprove(authorities);
    private readonly List<CertificateSpecification> _certificates = [];

    // The key of the first occurrence of each name.
    private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);

    /// <summary>Binds an element of <c>Certificates</c>.</summary>
    public static CertificateOptions Bind(SectionReader reader)
    {
        var certificate = new CertificateOptions();
        reader.Names(nameof(certificate.DomainNames), value => certificate.DomainNames = value);
        reader.Choices<KeyAlgorithm>(nameof(certificate.KeyAlgorithms), value => certificate.KeyAlgorithms = value);
        reader.Text(nameof(certificate.Profile), value => certificate.Profile = value);
        reader.Text(nameof(certificate.PreferredChain), value => certificate.PreferredChain = value);
        reader.Texts(nameof(certificate.ChallengeTypes), value => certificate.ChallengeTypes = value);
        return certificate;
    }

    /// <summary>Reads both lists.</summary>
    public EquatableArray<CertificateSpecification> Read(AcmeHttpsOptions options)
    {
        var names = options.DomainNames ?? [];
        for (var i = 0; i < names.Count; i++)
        {
            if (ReadName(names[i], $"DomainNames:{i}", challengeTypes) is { } identifier)
            {
                Add([identifier], new CertificateOptions(), challengeTypes, keyAlgorithms);
            }
        }

        var groups = options.Certificates ?? [];
        for (var i = 0; i < groups.Count; i++)
        {
            ReadGroup(groups[i] ?? new CertificateOptions(), $"Certificates:{i}");
        }

        return EquatableArray.From(_certificates);
    }

    private void ReadGroup(CertificateOptions group, string key)
    {
        var names = group.DomainNames ?? [];
        if (names.Count is 0 or > MaxNamesInGroup)
        {
            var fix = names.Count == 0
                ? "Write at least one name, or remove the certificate"
                : $"Write at most {MaxNamesInGroup}, or move names to the list DomainNames, with one certificate each";
            problems.Add($"{key}:DomainNames", null, names.Count == 0 ? "has no names" : $"has {names.Count} names", fix);
        }

        var types = ListRules.ChallengeTypes(group.ChallengeTypes, $"{key}:ChallengeTypes", facts, problems) ?? challengeTypes;
        var algorithms = ListRules.KeyAlgorithms(group.KeyAlgorithms, $"{key}:KeyAlgorithms", problems) ?? keyAlgorithms;
        var identifiers = new List<CertificateIdentifier>(names.Count);
        for (var i = 0; i < names.Count; i++)
        {
            if (ReadName(names[i], $"{key}:DomainNames:{i}", types) is { } identifier)
            {
                identifiers.Add(identifier);
            }
        }

        RefuseRedundant(identifiers, $"{key}:DomainNames");
        if (identifiers.Count > 0)
        {
            Add(EquatableArray.From(identifiers), group, types, algorithms);
        }
    }

    // Boulder and others always reject such an order. A private CA may accept it.
    private void RefuseRedundant(List<CertificateIdentifier> identifiers, string key)
    {
        if (!authorities.Any(authority => authority.IsPublic))
        {
            return;
        }

        var wildcards = identifiers.Where(identifier => identifier.IsWildcard)
            .Select(identifier => identifier.BaseValue)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var covered in identifiers.Where(identifier => identifier is { Kind: IdentifierKind.Dns, IsWildcard: false }))
        {
            var parent = covered.Value[(covered.Value.IndexOf('.') + 1)..];
            if (wildcards.Contains(parent))
            {
                problems.Add(
                    key, covered.Value, $"is covered by '*.{parent}' in the same certificate, which public CAs reject",
                    "Remove it here, or move it to the list DomainNames, with a certificate of its own");
            }
        }
    }

    private CertificateIdentifier? ReadName(string? text, string key, EquatableArray<string> types)
    {
        var result = DomainNameRules.Check(text, types, _onlyPublicAuthorities, _mayPreApprove);
        if (!result.IsSuccess)
        {
            problems.Add(key, text, result.Reason, result.Fix);
            return null;
        }

        // Compared by the ID in the store, so that an IPv6 address and a contrived name such as '2001-db8--1' do not share one.
        var id = CertificateId.Of([result.Identifier], KeyAlgorithm.EcdsaP256);
        if (!_seen.TryAdd(id, key))
        {
            problems.Add(key, text, $"is the same name as {ConfigurationKeys.Of(_seen[id])}", "Remove one of them");
            return null;
        }

        return result.Identifier;
    }

    private void Add(
        EquatableArray<CertificateIdentifier> identifiers,
        CertificateOptions options,
        EquatableArray<string> types,
        EquatableArray<KeyAlgorithm> algorithms)
    {
        foreach (var algorithm in algorithms)
        {
            _certificates.Add(new CertificateSpecification
            {
                Id = CertificateId.Of(identifiers, algorithm),
                Identifiers = identifiers,
                KeyAlgorithm = algorithm,
                Profile = ScalarRules.NullIfEmpty(options.Profile),
                PreferredChain = ScalarRules.NullIfEmpty(options.PreferredChain),
                ChallengeTypes = types,
            });
        }
    }
}
