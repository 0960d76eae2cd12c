using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Orders;
using KestrelAcme.LocalAuthority.Profiles;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Signs leaf certificates with the intermediate, in the CA's (possibly simulated) time. Thread-safe.</summary>
internal sealed class LeafIssuer(
    Hierarchy hierarchy, AuthorityFiles files, LocalAcmeAuthorityOptions options, AuthorityFaults faults, TimeProvider time)
{
    private const int LongestCommonName = 64;

    public IssuedCertificate Issue(Order order, CertificateSigningRequest csr)
    {
        var now = time.GetUtcNow();
        var wrong = faults.TakeWrongCertificate();
        var profile = options.Profiles.FirstOrDefault(p => p.Name == order.Profile);
        var (notBefore, notAfter) = ValidityOf(profile, now, wrong);
        var request = RequestFor(
            wrong == WrongCertificate.OtherNames ? [Identifier.OfName("wrong.invalid")] : order.Identifiers,
            wrong == WrongCertificate.OtherKey ? OtherKey() : csr.PublicKey,
            profile?.CommonName ?? false);
        var certificate = Sign(request, notBefore, notAfter);
        return new IssuedCertificate(certificate, CertId.Of(certificate))
        {
            Id = ResourceId.Create(),
            Identifiers = [.. order.Identifiers.Select(i => i.Value)],
            AccountId = order.AccountId,
            OrderId = order.Id,
            Profile = order.Profile,
            Replaces = order.Replaces,
            IssuedAt = now,
            ChainMissing = wrong == WrongCertificate.ChainMissing,
        };
    }

    private (DateTimeOffset NotBefore, DateTimeOffset NotAfter) ValidityOf(
        AuthorityProfile? profile, DateTimeOffset now, WrongCertificate wrong)
    {
        var validity = profile?.Validity ?? options.Validity;
        var notBefore = now - options.Backdate;
        return wrong == WrongCertificate.Expired
            ? (now.AddDays(-2), now.AddDays(-1))
            : (notBefore, now + validity - TimeSpan.FromSeconds(1));
    }

    private CertificateRequest RequestFor(IReadOnlyCollection<Identifier> identifiers, PublicKey key, bool commonName)
    {
        var subject = new X500DistinguishedNameBuilder();
        var named = commonName && identifiers.First() is { Type: Identifier.Dns, Value.Length: <= LongestCommonName };
        if (named)
        {
            subject.AddCommonName(identifiers.First().Value);
        }

        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        var usage = key.Oid.Value == "1.2.840.113549.1.1.1"
            ? X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment
            : X509KeyUsageFlags.DigitalSignature;
        var extensions = request.CertificateExtensions;
        extensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        extensions.Add(new X509KeyUsageExtension(usage, critical: true));
        extensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        extensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        extensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(hierarchy.Intermediate, true, false));
        extensions.Add(AlternativeNames(identifiers, critical: !named));
        extensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([files.RevocationListUrl]));
        extensions.Add(new X509AuthorityInformationAccessExtension(ocspUris: null, caIssuersUris: [files.IssuerUrl]));
        return request;
    }

    // RFC 5280 section 4.2.1.6: critical if the subject is empty.
    private static X509Extension AlternativeNames(IReadOnlyCollection<Identifier> identifiers, bool critical)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var identifier in identifiers)
        {
            if (identifier.Type == Identifier.Ip)
            {
                builder.AddIpAddress(IPAddress.Parse(identifier.Value));
            }
            else
            {
                builder.AddDnsName(identifier.Value);
            }
        }

        return builder.Build(critical);
    }

    private static PublicKey OtherKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new PublicKey(key);
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        lock (hierarchy.Signing)
        {
            var generator = X509SignatureGenerator.CreateForECDsa(hierarchy.IntermediateKey);
            return request.Create(hierarchy.Intermediate.SubjectName, generator, notBefore, notAfter, SerialNumber.Create());
        }
    }
}
