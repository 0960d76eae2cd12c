using System.Net;
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
    public static string Of(CertificateSpecification certificate, AuthoritySpecification authority)
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
        return Hash(text.ToString());
    }

    /// <summary>Returns a hash of the settings that are sent when an account is registered.</summary>
    public static string Of(AuthoritySpecification authority)
    {
        var binding = authority.ExternalAccountBinding;
        var secret = binding is null ? null : Convert.ToHexString(SHA256.HashData(binding.HmacKey.Span));
        return Hash($"{authority.DirectoryUrl}|{authority.EmailAddress}|{binding?.KeyId}|{secret}");
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
