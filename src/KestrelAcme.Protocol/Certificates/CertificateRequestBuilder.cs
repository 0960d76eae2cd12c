using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Protocol.Certificates;

/// <summary>Builds certificate signing requests (RFC 2986) for ACME: all names are in the subject alternative name.</summary>
public static class CertificateRequestBuilder
{
    private const int MaxCommonNameLength = 64;

    /// <summary>Builds a request.</summary>
    /// <param name="identifiers">The names and addresses of the order; at least one.</param>
    /// <param name="key">The certificate's key: ECDSA on P-256 or P-384, or RSA with 2048, 3072 or 4096 bits. Never the account's
    /// key.</param>
    /// <param name="includeCommonName">
    /// Whether the first name of at most 64 characters is also the subject's common name. Few CAs still need that; by default the subject
    /// is empty.
    /// </param>
    /// <returns>The request in DER.</returns>
    /// <exception cref="ArgumentException">There is no identifier, one of an unsupported type, or a key that CAs do not accept.</exception>
    public static byte[] Build(IReadOnlyList<AcmeIdentifier> identifiers, AsymmetricAlgorithm key, bool includeCommonName = false)
    {
        ArgumentNullException.ThrowIfNull(identifiers);
        ArgumentNullException.ThrowIfNull(key);
        if (identifiers.Count == 0)
        {
            throw new ArgumentException("A certificate needs at least one name or address.", nameof(identifiers));
        }

        var request = NewRequest(Subject(identifiers, includeCommonName), key);
        request.CertificateExtensions.Add(AlternativeNames(identifiers));
        return request.CreateSigningRequest();
    }

    private static CertificateRequest NewRequest(X500DistinguishedName subject, AsymmetricAlgorithm key) => key switch
    {
        ECDsa { KeySize: 256 } ec => new CertificateRequest(subject, ec, HashAlgorithmName.SHA256),
        ECDsa { KeySize: 384 } ec => new CertificateRequest(subject, ec, HashAlgorithmName.SHA384),
        RSA { KeySize: 2048 or 3072 or 4096 } rsa =>
            new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        _ => throw new ArgumentException(
            $"CAs do not accept this kind of key ({key.GetType().Name}, {key.KeySize} bits): "
            + "use P-256, P-384, or RSA of 2048, 3072 or 4096 bits.",
            nameof(key)),
    };

    private static X500DistinguishedName Subject(IReadOnlyList<AcmeIdentifier> identifiers, bool includeCommonName)
    {
        var subject = new X500DistinguishedNameBuilder();
        if (includeCommonName && identifiers.FirstOrDefault(name => name.IsDns && name.Value.Length <= MaxCommonNameLength) is { } first)
        {
            subject.AddCommonName(first.Value);
        }

        return subject.Build();
    }

    private static X509Extension AlternativeNames(IReadOnlyList<AcmeIdentifier> identifiers)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var identifier in identifiers.Distinct())
        {
            switch (identifier.Type)
            {
                case AcmeIdentifierTypes.Dns:
                    names.AddDnsName(identifier.Value);
                    break;
                case AcmeIdentifierTypes.Ip:
                    names.AddIpAddress(IPAddress.Parse(identifier.Value));
                    break;
                default:
                    throw new ArgumentException(
                        $"Identifiers of type {identifier.Type} cannot be part of a certificate request.", nameof(identifiers));
            }
        }

        return names.Build();
    }
}
