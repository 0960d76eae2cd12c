using System.Net;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Certificates.Model;

/// <summary>The names of a certificate in the forms that an order needs.</summary>
internal static class Identifiers
{
    public static IReadOnlyList<AcmeIdentifier> ToAcme(CertificateSpecification specification)
        => [.. specification.Identifiers.Select(i => i.Kind == IdentifierKind.Ip ? AcmeIdentifier.Ip(IPAddress.Parse(i.Value)) : AcmeIdentifier.Dns(i.Value))];

    /// <summary>
    /// A short name for an exact set of names, whatever the key algorithm: an authority hands out one pending order for one set, so that two orders for it are never under way at once.
    /// </summary>
    public static string NameSet(CertificateSpecification specification)
    {
        var names = string.Join(',', specification.Identifiers.Select(i => i.Value).Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names)).AsSpan(0, 16));
    }
}
