using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Checks a JWS (RFC 8555 sections 6.2 to 6.5): algorithm, key, signature, nonce and URL.</summary>
internal sealed class RequestAuthenticator(AccountRegistry accounts, NonceStore nonces, AuthorityFaults faults)
{
    public AcmeRequest Authenticate(AcmeRequest request, JwsMessage jws)
    {
        var header = jws.Header;
        CheckAlgorithm(header);
        var account = header.Kid is null ? null : FindAccount(header.Kid, request.Urls);
        var key = FindKey(request.Route.Resource, header, account);
        if (key.Algorithm != header.Alg)
        {
            throw Problem.Malformed($"The key signs with {key.Algorithm}, but the header says {header.Alg}.").ToException();
        }

        if (!key.Verify(jws.SigningInput, jws.Signature))
        {
            throw Problem.Malformed("The signature does not verify.").ToException();
        }

        UseNonce(header.Nonce);
        if (header.Url != request.Url)
        {
            var urls = $"The header's url is '{header.Url}', but the request was sent to '{request.Url}'.";
            throw Problem.Unauthorized(urls, 401).ToException();
        }

        return request with { Account = Active(account), Key = key, Payload = jws.Payload };
    }

    private static void CheckAlgorithm(ProtectedHeader header)
    {
        if (header.Alg is null || !SignatureAlgorithms.ForAccounts.Contains(header.Alg))
        {
            var problem = Problem.Of("badSignatureAlgorithm", 400, $"The algorithm '{header.Alg}' is not accepted.");
            throw (problem with { Algorithms = SignatureAlgorithms.ForAccounts }).ToException();
        }
    }

    private static AccountKey FindKey(ResourceKind resource, ProtectedHeader header, Account? account)
    {
        var signer = ResourceRules.Signer(resource);
        return (header.Jwk, account, signer) switch
        {
            (not null, not null, _) => throw Problem.Malformed("The header has both 'jwk' and 'kid'.").ToException(),
            (null, null, _) => throw Problem.Malformed("The header has neither 'jwk' nor 'kid'.").ToException(),
            (not null, null, RequestSigner.Account) => throw Problem.Malformed("This resource needs 'kid', not 'jwk'.").ToException(),
            (null, not null, RequestSigner.Key) => throw Problem.Malformed("This resource needs 'jwk', not 'kid'.").ToException(),
            (not null, null, _) => JsonWebKeyReader.Read(header.Jwk),
            (null, not null, _) => account.Key,
        };
    }

    private static Account? Active(Account? account) => account is null or { Status: AccountStatus.Valid }
        ? account
        : throw Problem.Unauthorized($"The account is {AccountResource.StatusName(account.Status)}.", 401).ToException();

    private Account FindAccount(string kid, ResourceUrls urls)
    {
        var prefix = urls.Account("");
        return kid.StartsWith(prefix, StringComparison.Ordinal) && accounts.Find(kid[prefix.Length..]) is { } account
            ? account
            : throw Problem.Of("accountDoesNotExist", 400, $"There is no account '{kid}'.").ToException();
    }

    private void UseNonce(string? nonce)
    {
        if (nonce is null || !Base64UrlText.TryDecode(nonce, out _))
        {
            throw Problem.Malformed("The header has no nonce, or one that is not base64url.").ToException();
        }

        if (!nonces.TryUse(nonce))
        {
            throw Problem.BadNonce("The nonce is unknown or was used before.").ToException();
        }

        if (faults.RejectsNonce())
        {
            throw Problem.BadNonce("An injected fault: the nonce was valid.").ToException();
        }
    }
}
