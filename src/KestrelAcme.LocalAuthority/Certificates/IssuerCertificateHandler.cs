using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Serves the intermediate, where the AIA extension of the leaves points.</summary>
internal sealed class IssuerCertificateHandler(Hierarchy hierarchy) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.IssuerCertificate;

    public AcmeResponse Handle(AcmeRequest request) => request.Route.Id == AuthorityFiles.IssuerName
        ? new AcmeResponse(200, "application/pkix-cert", hierarchy.Intermediate.RawData) { CarriesNonce = false }
        : throw Problem.NotFound("issuer").ToException();
}
