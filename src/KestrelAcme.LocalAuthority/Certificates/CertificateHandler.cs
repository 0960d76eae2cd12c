using System.Text;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Serves certificate chains (RFC 8555 section 7.4.2).</summary>
internal sealed class CertificateHandler(CertificateLedger certificates, Hierarchy hierarchy, LocalAcmeAuthorityOptions options)
    : IResourceHandler
{
    private const string PemChain = "application/pem-certificate-chain";
    private const string AlternateNumber = "1";

    public ResourceKind Resource => ResourceKind.Certificate;

    public AcmeResponse Handle(AcmeRequest request)
    {
        request.RequirePostAsGet();
        var certificate = certificates.Find(request.Route.Id) ?? throw Problem.NotFound("certificate").ToException();
        if (certificate.AccountId != request.Signer.Id)
        {
            throw Problem.Unauthorized("The certificate belongs to another account.").ToException();
        }

        var alternate = request.Route.SubId.Length > 0;
        if (alternate && !(options.OfferAlternateChain && request.Route.SubId == AlternateNumber))
        {
            throw Problem.NotFound("alternate chain").ToException();
        }

        return new AcmeResponse(200, PemChain, Encoding.ASCII.GetBytes(Pem(certificate, alternate)))
        {
            Links = options.OfferAlternateChain ? [AlternateLink(request, certificate, alternate)] : [],
        };
    }

    private static string AlternateLink(AcmeRequest request, IssuedCertificate certificate, bool alternate)
    {
        var other = alternate ? request.Urls.Certificate(certificate.Id) : request.Urls.AlternateCertificate(certificate.Id, 1);
        return $"<{other}>;rel=\"alternate\"";
    }

    private string Pem(IssuedCertificate certificate, bool alternate)
    {
        var pem = new StringBuilder(certificate.Certificate.ExportCertificatePem()).Append('\n');
        if (!certificate.ChainMissing)
        {
            foreach (var issuer in hierarchy.Chain(alternate))
            {
                pem.Append(issuer.ExportCertificatePem()).Append('\n');
            }
        }

        return pem.ToString();
    }
}

/// <summary>Serves the intermediate certificate at the URL in the AIA extension of leaf certificates.</summary>
internal sealed class IssuerCertificateHandler(Hierarchy hierarchy) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.IssuerCertificate;

    public AcmeResponse Handle(AcmeRequest request) => request.Route.Id == AuthorityFiles.IssuerName
        ? new AcmeResponse(200, "application/pkix-cert", hierarchy.Intermediate.RawData) { CarriesNonce = false }
        : throw Problem.NotFound("issuer").ToException();
}
