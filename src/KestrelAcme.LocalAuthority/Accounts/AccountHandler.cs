using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>Reads, updates and deactivates accounts (RFC 8555 sections 7.3.2 and 7.3.6).</summary>
internal sealed class AccountHandler(AccountRegistry accounts, LocalAcmeAuthorityOptions options) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.Account;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var account = request.Signer;
        if (account.Id != request.Route.Id)
        {
            throw Problem.Unauthorized("This is another account.").ToException();
        }

        if (!request.IsPostAsGet)
        {
            var payload = request.Read(AuthorityJson.Default.AccountUpdatePayload);
            account = accounts.Update(account.Id, a => Apply(a, payload)) ?? account;
        }

        return AcmeResponse.Of(
            200, AccountResource.Of(account, request.Urls, options.OfferOrdersList), AuthorityJson.Default.AccountResource);
    }

    private static Account Apply(Account account, AccountUpdatePayload payload)
    {
        if (payload.Status is not (null or "valid" or "deactivated"))
        {
            throw Problem.Malformed($"A client cannot set the status '{payload.Status}'.").ToException();
        }

        if (payload.Contact is { } contact)
        {
            ContactPolicy.Check(contact);
        }

        return account with
        {
            Contact = payload.Contact ?? account.Contact,
            TermsOfServiceAgreed = payload.TermsOfServiceAgreed ?? account.TermsOfServiceAgreed,
            Status = payload.Status == "deactivated" ? AccountStatus.Deactivated : account.Status,
        };
    }
}
