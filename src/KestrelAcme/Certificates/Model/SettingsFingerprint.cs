using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Certificates.Model;

/// <summary>A hash of the settings that an operator may change to fix a failure. Pure; reveals nothing about secrets.</summary>
internal static class SettingsFingerprint
{
    private const int Rounds = 100_000;

    // Computed once for each configuration, and only if a failure was counted.
    private static readonly ConditionalWeakTable<EquatableArray<DnsProviderSpecification>, string> DnsSettings = [];

    /// <param name="certificate">The certificate.</param>
    /// <param name="authority">The CA that it was ordered from.</param>
    /// <param name="dnsProviders">The DNS providers. They count if the CA may be answered in DNS.</param>
    public static string Of(
        CertificateSpecification certificate,
        AuthoritySpecification authority,
        EquatableArray<DnsProviderSpecification> dnsProviders)
    {
        var text = new StringBuilder()
            .AppendJoin(',', certificate.Identifiers.Select(i => i.Value)).Append('|')
            .AppendJoin(',', certificate.ChallengeTypes).Append('|')
            .Append(certificate.KeyAlgorithm).Append('|')
            .Append(certificate.Profile ?? authority.Profile).Append('|')
            .Append(authority.DirectoryUrl).Append('|')
            .Append(authority.EmailAddress).Append('|')
            .Append(authority.ExternalAccountBinding?.KeyId).Append('|')
            .Append(authority.ExternalAccountBinding is { } binding ? Convert.ToHexString(SHA256.HashData(binding.HmacKey.Span)) : null);
        if (dnsProviders.Count > 0 && UsesDnsProvider(certificate))
        {
            text.Append('|').Append(DnsSettings.GetValue(dnsProviders, HashOf));
        }

        return Hash(text.ToString());
    }

    /// <summary>Returns a hash of the settings that are sent when an account is registered.</summary>
    public static string Of(AuthoritySpecification authority)
    {
        var binding = authority.ExternalAccountBinding;
        var secret = binding is null ? null : Convert.ToHexString(SHA256.HashData(binding.HmacKey.Span));
        return Hash($"{authority.DirectoryUrl}|{authority.EmailAddress}|{binding?.KeyId}|{secret}");
    }

    /// <summary>Whether records of a DNS provider may prove the names.</summary>
    public static bool UsesDnsProvider(CertificateSpecification certificate)
        => certificate.ChallengeTypes.Any(static type => type is "dns-01" or "dns-account-01");

    private static string HashOf(EquatableArray<DnsProviderSpecification> providers)
    {
        var text = new StringBuilder();
        foreach (var provider in providers)
        {
            text.Append(provider.Settings.Type).Append('\n');
            foreach (var (key, value) in provider.Settings.Values)
            {
                text.Append(key).Append('=').Append(value).Append('\n');
            }

            text.AppendJoin(',', provider.Zones)
                .Append(CultureInfo.InvariantCulture, $"|{provider.FollowCnames}|{provider.PropagationTimeout}|{provider.MinimumWait}")
                .Append(CultureInfo.InvariantCulture, $"|{provider.PropagationCheck}|{provider.RequireEveryServer}\n");
        }

        // The hash is stored. A password that somebody chose must not be found from it by trying.
        return Convert.ToHexStringLower(
            Rfc2898DeriveBytes.Pbkdf2(text.ToString(), "KestrelAcme DNS"u8, Rounds, HashAlgorithmName.SHA256, outputLength: 8));
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}

/// <summary>Converts the names of a certificate to the forms that an order needs.</summary>
internal static class Identifiers
{
    public static IReadOnlyList<AcmeIdentifier> ToAcme(CertificateSpecification specification)
        => [.. specification.Identifiers.Select(ToAcme)];

    private static AcmeIdentifier ToAcme(CertificateIdentifier identifier)
        => identifier.Kind == IdentifierKind.Ip
            ? AcmeIdentifier.Ip(IPAddress.Parse(identifier.Value))
            : AcmeIdentifier.Dns(identifier.Value);

    /// <summary>
    /// Returns a hash of an exact set of names, whatever the key algorithm is. A CA returns the same pending order for the same set, so two
    /// orders for it must not run at the same time.
    /// </summary>
    public static string NameSet(CertificateSpecification specification)
        => NameSet(specification.Identifiers.Select(i => i.Value));

    /// <inheritdoc cref="NameSet(CertificateSpecification)"/>
    public static string NameSet(IEnumerable<string> values)
    {
        var names = string.Join(',', values.Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names)).AsSpan(0, 16));
    }
}
