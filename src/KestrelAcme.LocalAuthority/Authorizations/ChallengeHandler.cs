using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Validation;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>Reads challenges and starts their validation (RFC 8555 section 7.5.1).</summary>
internal sealed class ChallengeHandler(
    AuthorizationBook authorizations, ValidationQueue queue, AuthorityFaults faults, TimeProvider time) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.Challenge;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var authorization = authorizations.Require(request.Route.Id, request.Signer);
        var challenge = authorization.FindChallenge(request.Route.SubId) ?? throw Problem.NotFound("challenge").ToException();
        if (!request.IsPostAsGet)
        {
            RequireObject(request);
            authorization = Begin(authorization, challenge, request);
            challenge = authorization.FindChallenge(challenge.Id) ?? challenge;
        }

        var resource = ChallengeResource.Of(authorization, challenge, request.Urls);
        return AcmeResponse.Of(200, resource, AuthorityJson.Default.ChallengeResource) with
        {
            Links = [$"<{request.Urls.Authorization(authorization.Id)}>;rel=\"up\""],
        };
    }

    // The members are ignored (clients of earlier drafts sent keyAuthorization), but the payload must be an object.
    private static void RequireObject(AcmeRequest request) => request.Read(AuthorityJson.Default.AuthorizationUpdatePayload);

    private Authorization Begin(Authorization authorization, Challenge challenge, AcmeRequest request)
    {
        var started = false;
        var now = time.GetUtcNow();
        if (authorization.StatusAt(now) == AuthorizationStatus.Expired)
        {
            throw Problem.NotFound("authorization: it has expired").ToException();
        }

        var updated = authorizations.Table.Update(authorization.Id, current =>
        {
            var next = current.Begin(challenge.Id, now);
            started = !ReferenceEquals(next, current);
            return next;
        });
        if (started)
        {
            queue.Post(authorization, challenge, request.Signer, request.Urls.Account(request.Signer.Id));
        }
        else if (faults.ConflictOnPostedChallenge)
        {
            throw Problem.Of("conflict", 409, "The challenge is no longer pending.").ToException();
        }

        return updated ?? authorization;
    }
}
