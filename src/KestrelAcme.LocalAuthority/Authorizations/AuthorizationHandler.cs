using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>Reads and deactivates authorizations (RFC 8555 sections 7.5 and 7.5.2).</summary>
internal sealed class AuthorizationHandler(AuthorizationBook authorizations, AuthorityFaults faults, TimeProvider time) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.Authorization;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var authorization = authorizations.Require(request.Route.Id, request.Signer);
        if (!request.IsPostAsGet)
        {
            if (request.Read(AuthorityJson.Default.AuthorizationUpdatePayload).Status != "deactivated")
            {
                throw Problem.Malformed("An authorization can only be changed by deactivating it.").ToException();
            }

            authorization = authorizations.Table.Update(authorization.Id, a => a.Deactivate()) ?? authorization;
        }

        var resource = AuthorizationResource.Of(authorization, time.GetUtcNow(), request.Urls, faults.Shuffle);
        return AcmeResponse.Of(200, resource, AuthorityJson.Default.AuthorizationResource) with
        {
            RetryAfter = faults.PollingRetryAfter,
        };
    }
}
