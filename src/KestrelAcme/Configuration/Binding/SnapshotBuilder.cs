using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Turns options into a snapshot, or into all that is wrong with them. The one place where the rules meet; pure but for the files that the options name.</summary>
internal static class SnapshotBuilder
{
    /// <summary>Checks and builds.</summary>
    public static SnapshotResult Build(AcmeHttpsOptions options, EnvironmentFacts facts)
    {
        // Where another server answers, nothing is ordered or served: what an order would need may be missing.
        if (!options.Enabled || facts.OtherServer is not null)
        {
            return new SnapshotResult(ConfigurationSnapshot.Disabled, []);
        }

        var problems = new ProblemList();
        problems.AddRange(options.BindingProblems);

        var authorities = new AuthorityReader(facts, problems).Read(options);
        ExperimentalRules.Check(options, facts, problems);
        var challengeTypes = ListRules.ChallengeTypes(options.ChallengeTypes, "ChallengeTypes", problems) ?? ["http-01"];
        var keyAlgorithms = ReadKeyAlgorithms(options, problems);
        var certificates = new CertificateReader(challengeTypes, keyAlgorithms, authorities, problems).Read(options);
        CheckTerms(options, authorities, problems);
        ScalarRules.Check(options, problems);

        var snapshot = new ConfigurationSnapshot
        {
            Certificates = certificates,
            Authorities = authorities,
            NoAuthorityReason = AuthorityReader.WhyNone(options, facts),
            AcceptTermsOfService = options.AcceptTermsOfService,
            ChallengeTypes = challengeTypes,
            KeyAlgorithms = keyAlgorithms,
            StoragePath = PathRules.Storage(options, facts, problems),
            ExportPath = PathRules.Export(options, facts, problems),
            ExportFileMode = PathRules.ExportFileMode(options, problems),
            ExportGroup = PathRules.ExportGroup(options, problems),
            DefaultServerName = LocalNameRules.DefaultServerName(options, problems),
            LocalAddressNames = LocalNameRules.LocalAddresses(options, problems),
            SelfCheck = options.SelfCheck,
            AllowEphemeralStorage = options.AllowEphemeralStorage,
            Issuance = options.Issuance,
            MissingCertificate = options.MissingCertificate,
            MaxConcurrentOrders = options.MaxConcurrentOrders,
            ContextCacheSize = options.ContextCacheSize,
            SessionCacheCertificates = options.SessionCacheCertificates,
            ReuseKeys = options.ReuseKeys,
            DnsProviders = new DnsProviderReader(facts, problems).Read(options),
            DnsResolvers = DnsResolverRules.Read(options, problems),
        };
        return problems.All.Count == 0 ? new SnapshotResult(snapshot, []) : new SnapshotResult(null, problems.All);
    }

    private static EquatableArray<KeyAlgorithm> ReadKeyAlgorithms(AcmeHttpsOptions options, ProblemList problems)
    {
        if (options.KeyAlgorithms is not null)
        {
            return ListRules.KeyAlgorithms(options.KeyAlgorithms, "KeyAlgorithms", problems) ?? [];
        }

        ScalarRules.CheckEnum(options.KeyAlgorithm, "KeyAlgorithm", problems);
        return [options.KeyAlgorithm];
    }

    private static void CheckTerms(AcmeHttpsOptions options, EquatableArray<AuthoritySpecification> authorities, ProblemList problems)
    {
        var anyName = options.DomainNames is { Count: > 0 } || options.Certificates is { Count: > 0 };
        if (anyName && authorities.Count > 0 && options.Issuance == IssuanceMode.Automatic && !options.AcceptTermsOfService)
        {
            var names = string.Join(" and ", authorities.Select(authority => authority.DisplayName));
            problems.Add("AcceptTermsOfService", "false", $"no certificate can be ordered from {names} before its terms of service are accepted", "Read the terms, then write true");
        }
    }
}

/// <summary>Checks that the application knows what it is in for where a challenge type follows a moving draft.</summary>
internal static class ExperimentalRules
{
    private const string DnsPersist01 = "dns-persist-01";

    /// <summary>Checks the challenge types of all levels.</summary>
    public static void Check(AcmeHttpsOptions options, EnvironmentFacts facts, ProblemList problems)
    {
        if (facts.ExperimentalChallengeTypes.Contains(DnsPersist01))
        {
            return;
        }

        Check(options.ChallengeTypes, "ChallengeTypes", problems);
        for (var i = 0; i < (options.Certificates?.Count ?? 0); i++)
        {
            Check(options.Certificates![i]?.ChallengeTypes, $"Certificates:{i}:ChallengeTypes", problems);
        }
    }

    private static void Check(IList<string>? types, string key, ProblemList problems)
    {
        for (var i = 0; i < (types?.Count ?? 0); i++)
        {
            if (string.Equals(types![i]?.Trim(), DnsPersist01, StringComparison.OrdinalIgnoreCase))
            {
                problems.Add($"{key}:{i}", types[i], "follows a draft that still moves, and was not asked for in code", "Call AddDnsPersist01() on what AddAcmeHttps() returns, or remove it");
            }
        }
    }
}

/// <summary>What became of the options: a snapshot, or everything that is wrong with them.</summary>
/// <param name="Snapshot">The snapshot; <see langword="null"/> when there are problems.</param>
/// <param name="Problems">All problems.</param>
internal sealed record SnapshotResult(ConfigurationSnapshot? Snapshot, IReadOnlyList<ConfigurationProblem> Problems)
{
    /// <summary>Whether nothing is wrong.</summary>
    [MemberNotNullWhen(true, nameof(Snapshot))]
    public bool IsValid => Snapshot is not null;
}
