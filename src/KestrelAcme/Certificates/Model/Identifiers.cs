using System.Net;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Certificates.Model;

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
