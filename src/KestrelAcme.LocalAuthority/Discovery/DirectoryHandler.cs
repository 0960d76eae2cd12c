using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Discovery;

/// <summary>Serves the directory.</summary>
internal sealed class DirectoryHandler(LocalAcmeAuthorityOptions options) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.Directory;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var urls = request.Urls;
        var directory = new DirectoryResource
        {
            NewNonce = urls.NewNonce,
            NewAccount = urls.NewAccount,
            NewOrder = urls.NewOrder,
            RevokeCert = urls.RevokeCertificate,
            KeyChange = urls.KeyChange,
            RenewalInfo = options.OfferRenewalInformation ? urls.RenewalInformation : null,
            Meta = new DirectoryMeta
            {
                TermsOfService = options.TermsOfService?.ToString(),
                CaaIdentities = options.CaaIdentities.Count == 0 ? null : [.. options.CaaIdentities],
                IssuerDomainNames = options is { AccountHashPrefix: not null, CaaIdentities.Count: > 0 }
                    ? [.. options.CaaIdentities]
                    : null,
                AccountHashPrefix = options.AccountHashPrefix,
                ExternalAccountRequired = options.RequireExternalAccountBinding ? true : null,
                Profiles = options.Profiles.Count == 0 ? null : options.Profiles.ToDictionary(p => p.Name, p => p.Description),
            },
        };
        return AcmeResponse.Of(200, directory, AuthorityJson.Default.DirectoryResource) with { CarriesNonce = false };
    }
}

/// <summary>Returns a nonce; the header itself is part of every response.</summary>
internal sealed class NewNonceHandler : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.NewNonce;

    public AcmeResponse Handle(AcmeRequest request) => AcmeResponse.Empty(request.Method == "HEAD" ? 200 : 204);
}
