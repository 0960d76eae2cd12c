using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>Creates accounts and finds them by key (RFC 8555 sections 7.3 and 7.3.1).</summary>
internal sealed class NewAccountHandler(
    AccountRegistry accounts,
    ExternalAccountBindingVerifier bindings,
    LocalAcmeAuthorityOptions options,
    AuthorityLog log) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.NewAccount;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var payload = request.Read(AuthorityJson.Default.NewAccountPayload);
        var key = request.Key ?? throw Problem.Malformed("The request has no key.").ToException();
        if (accounts.IsForbidden(key.Fingerprint))
        {
            throw Problem.BadPublicKey("The public key is forbidden.").ToException();
        }

        if (accounts.FindByKey(key.Fingerprint) is { } existing)
        {
            return Answer(200, existing, request);
        }

        if (payload.OnlyReturnExisting == true)
        {
            throw Problem.Of("accountDoesNotExist", 400, "No account has this key.").ToException();
        }

        ContactPolicy.Check(payload.Contact ?? []);
        CheckTerms(payload);
        bindings.Verify(payload.ExternalAccountBinding, key, request.Urls);
        var (account, created) = accounts.GetOrAdd(new Account(ResourceId.Create(), key)
        {
            Contact = payload.Contact ?? [],
            TermsOfServiceAgreed = payload.TermsOfServiceAgreed == true,
            ExternalAccountBinding = payload.ExternalAccountBinding?.Clone(),
        });
        if (created)
        {
            log.AccountCreated(account.Id);
        }

        return Answer(created ? 201 : 200, account, request);
    }

    private void CheckTerms(NewAccountPayload payload)
    {
        if (options.TermsOfService is { } terms && payload.TermsOfServiceAgreed != true)
        {
            var problem = Problem.Of("userActionRequired", 403, $"Agree to the terms of service first: {terms}");
            throw (problem with { TermsOfService = terms }).ToException();
        }
    }

    private AcmeResponse Answer(int status, Account account, AcmeRequest request)
    {
        if (account.Status != AccountStatus.Valid)
        {
            throw Problem.Unauthorized($"The account is {AccountResource.StatusName(account.Status)}.").ToException();
        }

        var resource = AccountResource.Of(account, request.Urls, options.OfferOrdersList);
        return AcmeResponse.Of(status, resource, AuthorityJson.Default.AccountResource) with
        {
            Location = request.Urls.Account(account.Id),
        };
    }
}
