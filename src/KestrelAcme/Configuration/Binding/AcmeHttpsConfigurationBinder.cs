using KestrelAcme.Configuration.Rules;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Binds section <c>AcmeHttps</c> to the options. What cannot be bound is kept in <see cref="AcmeHttpsOptions.BindingProblems"/>; nothing is thrown.</summary>
internal static class AcmeHttpsConfigurationBinder
{
    /// <summary>Binds a section.</summary>
    public static void Bind(IConfigurationSection section, AcmeHttpsOptions options)
    {
        if (ScalarRules.NullIfEmpty(section.Value) is not null)
        {
            options.BindingProblems.Add(new ConfigurationProblem(section.Path, null, "is a single value, a section with keys is wanted", "Write { \"DomainNames\": [\"...\"] } in JSON"));
        }

        var reader = new SectionReader(section, options.BindingProblems);
        BindIssuance(reader, options);
        BindAuthorities(reader, options);
        BindServing(reader, options);
        BindDns(reader, options);
        reader.ReportUnknownKeys();
    }

    private static void BindIssuance(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.Flag(nameof(options.Enabled), value => options.Enabled = value);
        reader.Names(nameof(options.DomainNames), value => options.DomainNames = value);
        reader.NestedList(nameof(options.Certificates), () => options.Certificates = [], element => options.Certificates.Add(ReadCertificate(element)));
        reader.Texts(nameof(options.ChallengeTypes), value => options.ChallengeTypes = value);
        reader.Choice<KeyAlgorithm>(nameof(options.KeyAlgorithm), value => options.KeyAlgorithm = value);
        reader.Choices<KeyAlgorithm>(nameof(options.KeyAlgorithms), value => options.KeyAlgorithms = value);
        reader.Flag(nameof(options.ReuseKeys), value => options.ReuseKeys = value);
        reader.Flag(nameof(options.SelfCheck), value => options.SelfCheck = value);
        reader.Choice<IssuanceMode>(nameof(options.Issuance), value => options.Issuance = value);
        reader.Number(nameof(options.MaxConcurrentOrders), value => options.MaxConcurrentOrders = value);
    }

    private static void BindAuthorities(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.Flag(nameof(options.AcceptTermsOfService), value => options.AcceptTermsOfService = value);
        reader.Text(nameof(options.EmailAddress), value => options.EmailAddress = value);
        reader.Text(nameof(options.DirectoryUrl), value => options.DirectoryUrl = value);
        reader.Text(nameof(options.TrustedRootsPath), value => options.TrustedRootsPath = value);
        reader.Text(nameof(options.Profile), value => options.Profile = value);
        reader.Text(nameof(options.PreferredChain), value => options.PreferredChain = value);
        reader.Nested(nameof(options.ExternalAccountBinding), nested => options.ExternalAccountBinding = ReadBinding(nested));
        reader.NestedList(nameof(options.Authorities), () => options.Authorities = [], element => options.Authorities.Add(ReadAuthority(element)));
    }

    private static void BindServing(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.Text(nameof(options.StoragePath), value => options.StoragePath = value);
        reader.Text(nameof(options.ExportPath), value => options.ExportPath = value);
        reader.Text(nameof(options.ExportFileMode), value => options.ExportFileMode = value);
        reader.Text(nameof(options.ExportGroup), value => options.ExportGroup = value);
        reader.Flag(nameof(options.AllowEphemeralStorage), value => options.AllowEphemeralStorage = value);
        reader.Choice<MissingCertificate>(nameof(options.MissingCertificate), value => options.MissingCertificate = value);
        reader.Number(nameof(options.ContextCacheSize), value => options.ContextCacheSize = value);
        reader.Number(nameof(options.SessionCacheCertificates), value => options.SessionCacheCertificates = value);
        reader.Text(nameof(options.DefaultServerName), value => options.DefaultServerName = value);
        reader.Map(nameof(options.LocalAddressNames), (address, name) => options.LocalAddressNames[address] = name);
    }

    private static void BindDns(SectionReader reader, AcmeHttpsOptions options)
    {
        reader.NestedList(nameof(options.DnsProviders), () => options.DnsProviders = [], element => options.DnsProviders.Add(ReadDnsProvider(element)));
        reader.Texts(nameof(options.DnsResolvers), value => options.DnsResolvers = value);
    }

    private static DnsProviderOptions ReadDnsProvider(SectionReader reader)
    {
        var provider = new DnsProviderOptions();
        reader.Text(nameof(provider.Type), value => provider.Type = value);
        reader.Texts(nameof(provider.Zones), value => provider.Zones = value);
        reader.Flag(nameof(provider.FollowCnames), value => provider.FollowCnames = value);
        reader.Duration(nameof(provider.PropagationTimeout), value => provider.PropagationTimeout = value);
        reader.Duration(nameof(provider.MinimumWait), value => provider.MinimumWait = value);
        reader.Choice<DnsPropagationCheck>(nameof(provider.PropagationCheck), value => provider.PropagationCheck = value);
        reader.Flag(nameof(provider.RequireEveryServer), value => provider.RequireEveryServer = value);

        // Which keys there are depends on the type, and the types are known to the rules.
        reader.Others((key, value) => provider.Settings[key] = value);
        return provider;
    }

    private static CertificateOptions ReadCertificate(SectionReader reader)
    {
        var certificate = new CertificateOptions();
        reader.Names(nameof(certificate.DomainNames), value => certificate.DomainNames = value);
        reader.Choices<KeyAlgorithm>(nameof(certificate.KeyAlgorithms), value => certificate.KeyAlgorithms = value);
        reader.Text(nameof(certificate.Profile), value => certificate.Profile = value);
        reader.Text(nameof(certificate.PreferredChain), value => certificate.PreferredChain = value);
        reader.Texts(nameof(certificate.ChallengeTypes), value => certificate.ChallengeTypes = value);
        return certificate;
    }

    private static AuthorityOptions ReadAuthority(SectionReader reader)
    {
        var authority = new AuthorityOptions();
        reader.Text(nameof(authority.DirectoryUrl), value => authority.DirectoryUrl = value);
        reader.Text(nameof(authority.TrustedRootsPath), value => authority.TrustedRootsPath = value);
        reader.Nested(nameof(authority.ExternalAccountBinding), nested => authority.ExternalAccountBinding = ReadBinding(nested));
        reader.Text(nameof(authority.Profile), value => authority.Profile = value);
        reader.Text(nameof(authority.PreferredChain), value => authority.PreferredChain = value);
        reader.Text(nameof(authority.EmailAddress), value => authority.EmailAddress = value);
        return authority;
    }

    private static ExternalAccountBindingOptions ReadBinding(SectionReader reader)
    {
        var binding = new ExternalAccountBindingOptions();
        reader.Text(nameof(binding.KeyId), value => binding.KeyId = value);
        reader.Text(nameof(binding.HmacKey), value => binding.HmacKey = value);
        reader.Text(nameof(binding.HmacKeyFile), value => binding.HmacKeyFile = value);
        return binding;
    }
}
