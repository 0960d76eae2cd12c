using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>Verifies external account bindings (RFC 8555 section 7.3.4).</summary>
internal sealed class ExternalAccountBindingVerifier(LocalAcmeAuthorityOptions options)
{
    public void Verify(JsonElement? binding, AccountKey accountKey, ResourceUrls urls)
    {
        if (binding is not { } element)
        {
            if (options.RequireExternalAccountBinding)
            {
                throw Problem.Of("externalAccountRequired", 403, "New accounts need an external account binding.").ToException();
            }

            return;
        }

        var jws = JwsMessage.From(Parse(element));
        CheckHeader(jws.Header, urls);
        CheckSignature(jws);
        CheckPayload(jws, accountKey);
    }

    private static FlattenedJws Parse(JsonElement element)
    {
        try
        {
            return element.Deserialize(AuthorityJson.Default.FlattenedJws) ?? new FlattenedJws();
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The externalAccountBinding is not a JWS: " + e.Message).ToException();
        }
    }

    private static void CheckHeader(ProtectedHeader header, ResourceUrls urls)
    {
        if (header.Alg != SignatureAlgorithms.HS256)
        {
            throw Problem.Malformed($"The binding's algorithm is '{header.Alg}': HS256 is expected.").ToException();
        }

        if (header.Nonce is not null || header.Jwk is not null || header.Url != urls.NewAccount)
        {
            throw Problem
                .Malformed("The binding must have 'kid', the newAccount URL in 'url', and neither 'nonce' nor 'jwk'.")
                .ToException();
        }
    }

    private static void CheckPayload(JwsMessage jws, AccountKey accountKey)
    {
        try
        {
            var jwk = JsonSerializer.Deserialize(jws.Payload, AuthorityJson.Default.JsonWebKey);
            if (jwk is not null && JsonWebKeyReader.Read(jwk).Fingerprint == accountKey.Fingerprint)
            {
                return;
            }
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The binding's payload is not a JWK: " + e.Message).ToException();
        }

        throw Problem.Malformed("The binding's payload is not the account's key.").ToException();
    }

    private void CheckSignature(JwsMessage jws)
    {
        if (jws.Header.Kid is not { } kid || !options.ExternalAccounts.TryGetValue(kid, out var text))
        {
            throw Problem.Unauthorized("The binding's key id is unknown.").ToException();
        }

        if (!Base64UrlText.TryDecode(text, out var key))
        {
            throw new InvalidOperationException($"LocalAcmeAuthorityOptions.ExternalAccounts[\"{kid}\"] is not base64url.");
        }

        if (!CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(key, jws.SigningInput), jws.Signature))
        {
            throw Problem.Unauthorized("The binding's signature does not verify.").ToException();
        }
    }
}
