using System.Text.Json;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>Changes the key of an account (RFC 8555 section 7.3.5): a JWS by the new key inside a JWS by the old key.</summary>
internal sealed class KeyChangeHandler(AccountRegistry accounts, LocalAcmeAuthorityOptions options) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.KeyChange;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var account = request.Signer;
        var inner = JwsMessage.Parse(request.Payload);
        var newKey = VerifyInner(inner, request);
        CheckPayload(inner, account, request.Urls);
        if (accounts.ReplaceKey(account.Id, newKey) is { } holder)
        {
            var problem = Problem.Malformed("Another account already has the new key.", 409);
            throw (problem with { Location = request.Urls.Account(holder.Id) }).ToException();
        }

        var changed = AccountResource.Of(account with { Key = newKey }, request.Urls, options.OfferOrdersList);
        return AcmeResponse.Of(200, changed, AuthorityJson.Default.AccountResource);
    }

    private static AccountKey VerifyInner(JwsMessage inner, AcmeRequest request)
    {
        var header = inner.Header;
        if (header.Jwk is null || header.Kid is not null)
        {
            throw Problem.Malformed("The inner JWS needs the new key in 'jwk', and no 'kid'.").ToException();
        }

        if (header.Nonce is not null || header.Url != request.Url)
        {
            throw Problem.Malformed("The inner JWS must have the outer 'url' and no 'nonce'.").ToException();
        }

        var key = JsonWebKeyReader.Read(header.Jwk);
        return key.Algorithm == header.Alg && key.Verify(inner.SigningInput, inner.Signature)
            ? key
            : throw Problem.Malformed("The inner signature does not verify.").ToException();
    }

    private static void CheckPayload(JwsMessage inner, Account account, ResourceUrls urls)
    {
        KeyChangePayload? payload;
        try
        {
            payload = JsonSerializer.Deserialize(inner.Payload, AuthorityJson.Default.KeyChangePayload);
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The inner payload is not the expected JSON: " + e.Message).ToException();
        }

        if (payload?.Account != urls.Account(account.Id))
        {
            throw Problem.Malformed("The inner payload names another account.").ToException();
        }

        if (payload.OldKey is null || JsonWebKeyReader.Read(payload.OldKey).Fingerprint != account.Key.Fingerprint)
        {
            throw Problem.Malformed("The inner payload's oldKey is not the account's key.").ToException();
        }
    }
}
