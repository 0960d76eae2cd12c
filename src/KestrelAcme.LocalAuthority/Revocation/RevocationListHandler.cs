using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>Serves the CRL in DER.</summary>
internal sealed class RevocationListHandler(RevocationListPublisher publisher) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.RevocationList;

    public AcmeResponse Handle(AcmeRequest request) => request.Route.Id == AuthorityFiles.RevocationListName
        ? new AcmeResponse(200, "application/pkix-crl", publisher.Current()) { CarriesNonce = false }
        : throw Problem.NotFound("revocation list").ToException();
}
