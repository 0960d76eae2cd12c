using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Everything about a single option between <see cref="AcmeHttpsOptions"/> and <see cref="ConfigurationSnapshot"/>: how it is bound from
/// the configuration, how it is checked, and what a reload does with it. The readers of nested options do the same for those.
/// </summary>
/// <remarks>Pure, except for reading the files that the options name.</remarks>
internal static class AcmeHttpsOptionsReader
{
    /// <summary>The options that select the CA.</summary>
    public static IReadOnlyList<string> AuthorityKeys { get; } =
    [
        nameof(AcmeHttpsOptions.DirectoryUrl), nameof(AcmeHttpsOptions.Authorities), nameof(AcmeHttpsOptions.TrustedRootsPath),
        nameof(AcmeHttpsOptions.ExternalAccountBinding), nameof(AcmeHttpsOptions.AccountKeyFile), nameof(AcmeHttpsOptions.Profile),
        nameof(AcmeHttpsOptions.PreferredChain),
    ];

    /// <summary>The options that list names.</summary>
    public static IReadOnlyList<string> NameKeys { get; } = [nameof(AcmeHttpsOptions.DomainNames), nameof(AcmeHttpsOptions.Certificates)];

    /// <summary>The options with lists: a reload accepts a shorter list as a change, but not a list that is gone.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> ListKeys { get; } =
    [
        [nameof(AcmeHttpsOptions.KeyAlgorithm), nameof(AcmeHttpsOptions.KeyAlgorithms)],
        [nameof(AcmeHttpsOptions.ChallengeTypes)], [nameof(AcmeHttpsOptions.DnsProviders)], [nameof(AcmeHttpsOptions.DnsResolvers)],
    ];

    /// <summary>
    /// The options that keep their last value if a reload finds them missing, because that would change whether, where or what KestrelAcme
    /// orders. Options that replace each other form a group.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<string>> KeptWhenMissing { get; } =
    [
        AuthorityKeys, .. ListKeys,
        [nameof(AcmeHttpsOptions.AcceptTermsOfService)], [nameof(AcmeHttpsOptions.EmailAddress)], [nameof(AcmeHttpsOptions.Issuance)],
        [nameof(AcmeHttpsOptions.ReuseKeys)], [nameof(AcmeHttpsOptions.ExportPath)], [nameof(AcmeHttpsOptions.StoragePath)],
        [nameof(AcmeHttpsOptions.Enabled)],
    ];

    /// <summary>
    /// The keys of all lists, including those of nested options, with the key that identifies an element of a list of objects;
    /// <see langword="null"/> for a list of texts.
    /// </summary>
    public static IReadOnlyDictionary<string, string?> ListIdentities { get; } =
        new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(AcmeHttpsOptions.DomainNames)] = null,
            [nameof(AcmeHttpsOptions.ChallengeTypes)] = null,
            [nameof(AcmeHttpsOptions.KeyAlgorithms)] = null,
            [nameof(AcmeHttpsOptions.DnsResolvers)] = null,
            [nameof(DnsProviderOptions.Zones)] = null,
            [nameof(OnDemandOptions.Addresses)] = null,
            [nameof(OnDemandOptions.SubjectMapping)] = null,
            [nameof(AcmeHttpsOptions.Certificates)] = nameof(CertificateOptions.DomainNames),
            [nameof(AcmeHttpsOptions.Authorities)] = nameof(AuthorityOptions.DirectoryUrl),
            [nameof(AcmeHttpsOptions.DnsProviders)] = nameof(DnsProviderOptions.Type),
            [nameof(AcmeHttpsOptions.ImportFrom)] = nameof(ImportOptions.Path),
        };

    /// <summary>
    /// Binds a section to the options. Never throws: a value that cannot be bound is added to
    /// <see cref="AcmeHttpsOptions.BindingProblems"/>.
    /// </summary>
    public static void Bind(IConfigurationSection section, AcmeHttpsOptions options)
    {
        if (ScalarRules.NullIfEmpty(section.Value) is not null)
        {
            options.BindingProblems.Add(new ConfigurationProblem(
                section.Path, null, "is a single value, not a section with keys", "Write { \"DomainNames\": [\"...\"] } in JSON"));
        }

        var reader = new SectionReader(section, options.BindingProblems);
        BindIssuance(reader, options);
        BindServing(reader, options);
        reader.ReportUnknownKeys(others => LettuceEncryptNames.Bind(others, options));
    }

    /// <summary>Checks the options and builds the snapshot.</summary>
    public static SnapshotResult Build(AcmeHttpsOptions options, EnvironmentFacts facts)
    {
        // With another server than Kestrel, nothing is ordered or served, so the settings for orders may be missing.
        if (!options.Enabled || facts.OtherServer is not null)
        {
            return new SnapshotResult(ConfigurationSnapshot.Disabled, []);
        }

        var problems = new ProblemList();
        problems.AddRange(options.BindingProblems);

        var authorities = new AuthorityReader(facts, problems).Read(options);
        var challengeTypes =
            ListRules.ChallengeTypes(options.ChallengeTypes, nameof(options.ChallengeTypes), facts, problems) ?? ["http-01"];
        var keyAlgorithms = ReadKeyAlgorithms(options, problems);
        var certificates = new CertificateReader(challengeTypes, keyAlgorithms, authorities, facts, problems).Read(options);
        CheckTerms(options, authorities, problems);
        var storage = PathRules.Storage(options.StoragePath, nameof(options.StoragePath), facts, problems);

        var snapshot = new ConfigurationSnapshot
        {
            Certificates = certificates,
            Authorities = authorities,
            NoAuthorityReason = AuthorityReader.WhyNone(options, facts),
            AcceptTermsOfService = options.AcceptTermsOfService,
            ChallengeTypes = challengeTypes,
            KeyAlgorithms = keyAlgorithms,
            StoragePath = storage,
            ImportFrom = options.ImportFrom is { Count: > 0 } ? ImportReader.Read(options, facts, problems) : [],
            ExportPath = PathRules.Export(options.ExportPath, nameof(options.ExportPath), storage, facts, problems),
            ExportPfx = ReadExportPfx(options, facts, problems),
            ExportHook = ExportHookReader.Read(options.ExportHook, nameof(options.ExportHook), options.ExportPath, problems),
            ExportFileMode = PathRules.ExportFileMode(options.ExportFileMode, nameof(options.ExportFileMode), problems),
            ExportGroup = PathRules.ExportGroup(options.ExportGroup, nameof(options.ExportGroup), problems),
            DefaultServerName = LocalNameRules.DefaultServerName(options.DefaultServerName, nameof(options.DefaultServerName), problems),
            LocalAddressNames = LocalNameRules.LocalAddresses(options.LocalAddressNames, nameof(options.LocalAddressNames), problems),
            SelfCheck = options.SelfCheck,
            Http01Stateless = options.Http01Stateless,
            AllowEphemeralStorage = options.AllowEphemeralStorage,
            ProtectKeys = options.ProtectKeys,
            RequireCertificateOnStartup = ScalarRules.Duration(
                options.RequireCertificateOnStartup, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1),
                nameof(options.RequireCertificateOnStartup), problems),
            Issuance = ScalarRules.Defined(options.Issuance, nameof(options.Issuance), problems),
            MissingCertificate = ScalarRules.Defined(options.MissingCertificate, nameof(options.MissingCertificate), problems),
            MaxConcurrentOrders = ScalarRules.InRange(options.MaxConcurrentOrders, 1, 100, nameof(options.MaxConcurrentOrders), problems),
            ContextCacheSize = ScalarRules.InRange(options.ContextCacheSize, 16, 1_000_000, nameof(options.ContextCacheSize), problems),
            SessionCacheCertificates = ScalarRules.InRange(
                options.SessionCacheCertificates,
                0,
                Math.Max(0, options.ContextCacheSize),
                nameof(options.SessionCacheCertificates),
                problems),
            ReuseKeys = options.ReuseKeys,
            DnsProviders = new DnsProviderReader(facts, problems).Read(options),
            DnsResolvers = DnsResolverRules.Read(options.DnsResolvers, nameof(options.DnsResolvers), problems),
            OnDemand = OnDemandReader.Read(options.OnDemand, nameof(options.OnDemand), problems),
        };
        return problems.All.Count == 0 ? new SnapshotResult(snapshot, []) : new SnapshotResult(null, problems.All);
    }

    /// <summary>
    /// Returns a new snapshot with the current values of the settings that need a restart, and the keys of those that changed.
    /// </summary>
    public static (ConfigurationSnapshot Effective, IReadOnlyList<string> Ignored) KeepUntilRestart(
        ConfigurationSnapshot current, ConfigurationSnapshot next)
    {
        if (next.Enabled != current.Enabled)
        {
            return (current, [ConfigurationKeys.Of(nameof(next.Enabled))]);
        }

        (string Key, bool Changed)[] settings =
        [
            (nameof(next.StoragePath), next.StoragePath != current.StoragePath),
            (nameof(next.ProtectKeys), next.ProtectKeys != current.ProtectKeys),
            (nameof(next.ImportFrom), !next.ImportFrom.Equals(current.ImportFrom)),
            (nameof(next.MaxConcurrentOrders), next.MaxConcurrentOrders != current.MaxConcurrentOrders),
            (nameof(next.ContextCacheSize), next.ContextCacheSize != current.ContextCacheSize),
            (nameof(next.SessionCacheCertificates), next.SessionCacheCertificates != current.SessionCacheCertificates),
            (nameof(next.OnDemand), next.OnDemand is null != current.OnDemand is null),
        ];
        var effective = next with
        {
            StoragePath = current.StoragePath,
            ProtectKeys = current.ProtectKeys,
            ImportFrom = current.ImportFrom,
            MaxConcurrentOrders = current.MaxConcurrentOrders,
            ContextCacheSize = current.ContextCacheSize,
            SessionCacheCertificates = current.SessionCacheCertificates,
            OnDemand = next.OnDemand is null != current.OnDemand is null ? current.OnDemand : next.OnDemand,
        };
        return (effective, [.. settings.Where(setting => setting.Changed).Select(setting => ConfigurationKeys.Of(setting.Key))]);
    }

    private static void BindIssuance(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.Flag(nameof(options.Enabled), value => options.Enabled = value);
        reader.Names(nameof(options.DomainNames), value => options.DomainNames = value);
        reader.NestedList(
            nameof(options.Certificates),
            () => options.Certificates = [],
            element => options.Certificates.Add(CertificateReader.Bind(element)));
        reader.Texts(nameof(options.ChallengeTypes), value => options.ChallengeTypes = value);
        reader.Choice<KeyAlgorithm>(nameof(options.KeyAlgorithm), value => options.KeyAlgorithm = value);
        reader.Choices<KeyAlgorithm>(nameof(options.KeyAlgorithms), value => options.KeyAlgorithms = value);
        reader.Flag(nameof(options.ReuseKeys), value => options.ReuseKeys = value);
        reader.Flag(nameof(options.SelfCheck), value => options.SelfCheck = value);
        reader.Flag(nameof(options.Http01Stateless), value => options.Http01Stateless = value);
        reader.Duration(nameof(options.RequireCertificateOnStartup), value => options.RequireCertificateOnStartup = value);
        reader.Choice<IssuanceMode>(nameof(options.Issuance), value => options.Issuance = value);
        reader.Number(nameof(options.MaxConcurrentOrders), value => options.MaxConcurrentOrders = value);
        reader.Flag(nameof(options.AcceptTermsOfService), value => options.AcceptTermsOfService = value);
        reader.Text(nameof(options.EmailAddress), value => options.EmailAddress = value);
        reader.Text(nameof(options.DirectoryUrl), value => options.DirectoryUrl = value);
        reader.Text(nameof(options.TrustedRootsPath), value => options.TrustedRootsPath = value);
        reader.Text(nameof(options.AccountKeyFile), value => options.AccountKeyFile = value);
        reader.Text(nameof(options.Profile), value => options.Profile = value);
        reader.Text(nameof(options.PreferredChain), value => options.PreferredChain = value);
        reader.Nested(
            nameof(options.ExternalAccountBinding),
            nested => options.ExternalAccountBinding = ExternalAccountBindingReader.Bind(nested));
        reader.NestedList(
            nameof(options.Authorities),
            () => options.Authorities = [],
            element => options.Authorities.Add(AuthorityReader.Bind(element)));
        reader.NestedList(
            nameof(options.DnsProviders),
            () => options.DnsProviders = [],
            element => options.DnsProviders.Add(DnsProviderReader.Bind(element)));
        reader.Texts(nameof(options.DnsResolvers), value => options.DnsResolvers = value);
        reader.Nested(nameof(options.OnDemand), nested => options.OnDemand = OnDemandReader.Bind(nested, options.OnDemand));
    }

    private static void BindServing(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.Text(nameof(options.StoragePath), value => options.StoragePath = value);
        reader.NestedList(
            nameof(options.ImportFrom),
            () => options.ImportFrom = [],
            element => options.ImportFrom.Add(ImportReader.Bind(element)),
            path => options.ImportFrom.Add(new ImportOptions { Path = path }));
        reader.Text(nameof(options.ExportPath), value => options.ExportPath = value);
        reader.Flag(nameof(options.ExportPfx), value => options.ExportPfx = value);
        reader.Text(nameof(options.ExportPfxPasswordFile), value => options.ExportPfxPasswordFile = value);
        reader.Nested(nameof(options.ExportHook), nested => options.ExportHook = ExportHookReader.Bind(nested));
        reader.Text(nameof(options.ExportFileMode), value => options.ExportFileMode = value);
        reader.Text(nameof(options.ExportGroup), value => options.ExportGroup = value);
        reader.Flag(nameof(options.ProtectKeys), value => options.ProtectKeys = value);
        reader.Flag(nameof(options.AllowEphemeralStorage), value => options.AllowEphemeralStorage = value);
        reader.Choice<MissingCertificate>(nameof(options.MissingCertificate), value => options.MissingCertificate = value);
        reader.Number(nameof(options.ContextCacheSize), value => options.ContextCacheSize = value);
        reader.Number(nameof(options.SessionCacheCertificates), value => options.SessionCacheCertificates = value);
        reader.Text(nameof(options.DefaultServerName), value => options.DefaultServerName = value);
        reader.Map(nameof(options.LocalAddressNames), (address, name) => options.LocalAddressNames[address] = name);
    }

    private static EquatableArray<KeyAlgorithm> ReadKeyAlgorithms(AcmeHttpsOptions options, ProblemList problems)
        => options.KeyAlgorithms is { } several
            ? ListRules.KeyAlgorithms(several, nameof(options.KeyAlgorithms), problems) ?? []
            : [ScalarRules.Defined(options.KeyAlgorithm, nameof(options.KeyAlgorithm), problems)];

    private static ExportPfx? ReadExportPfx(AcmeHttpsOptions options, EnvironmentFacts facts, ProblemList problems)
    {
        const string Key = nameof(options.ExportPfxPasswordFile);
        var path = PathRules.Resolve(options.ExportPfxPasswordFile, Key, facts, problems, isSecret: true);
        if (!options.ExportPfx)
        {
            return null;
        }

        var password = path is null ? "" : FileRules.ReadSecret(path, Key, facts, problems)?.TrimEnd('\r', '\n');
        return password is null ? null : new ExportPfx(password);
    }

    private static void CheckTerms(AcmeHttpsOptions options, EquatableArray<AuthoritySpecification> authorities, ProblemList problems)
    {
        var anyName = options.DomainNames is { Count: > 0 } || options.Certificates is { Count: > 0 } || options.OnDemand is not null;
        if (anyName && authorities.Count > 0 && options.Issuance == IssuanceMode.Automatic && !options.AcceptTermsOfService)
        {
            var names = string.Join(" and ", authorities.Select(authority => authority.DisplayName));
            problems.Add(
                nameof(options.AcceptTermsOfService), "false",
                $"no certificate can be ordered from {names} until its terms of service are accepted", "Read the terms, then write true");
        }
    }
}

/// <summary>The result of reading the options: a snapshot, or all problems.</summary>
/// <param name="Snapshot">The snapshot; <see langword="null"/> if there are problems.</param>
/// <param name="Problems">All problems.</param>
internal sealed record SnapshotResult(ConfigurationSnapshot? Snapshot, IReadOnlyList<ConfigurationProblem> Problems)
{
    /// <summary>Whether there are no problems.</summary>
    [MemberNotNullWhen(true, nameof(Snapshot))]
    public bool IsValid => Snapshot is not null;
}
