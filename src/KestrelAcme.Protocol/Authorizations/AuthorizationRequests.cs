using System.Net;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Authorizations;

/// <summary>The requests of an account that change authorizations and challenges (RFC 8555 sections 7.4.1 and 7.5).</summary>
internal static class AuthorizationRequests
{
    private static readonly byte[] EmptyObject = "{}"u8.ToArray();

    public static async Task<Authorization> CreateAsync(
        AcmeAccount account, AcmeIdentifier identifier, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        var directory = await account.Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var url = directory.NewAuthz ?? throw AcmeClient.NotOffered("Creating an authorization", "newAuthz", directory.Url);
        var payload = new NewAuthorizationPayload { Identifier = identifier.ToDocument() };
        var response = await account.Client.PostAsync(
            new AcmeCall("Creating an authorization", url) { IsRepeatable = false },
            account.Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewAuthorizationPayload),
            cancellationToken).ConfigureAwait(false);
        return Authorization.FromResponse(
            response, response.Location ?? throw response.Malformed("the authorization's URL is missing (Location header)"));
    }

    public static async Task<Authorization> DeactivateAsync(
        AcmeAccount account, Uri authorizationUrl, CancellationToken cancellationToken)
    {
        UrlPolicy.ThrowIfNotAllowed(authorizationUrl, account.Client.DirectoryUrl, nameof(authorizationUrl));
        var payload = new AuthorizationUpdatePayload { Status = "deactivated" };
        var response = await account.Client.PostAsync(
            new AcmeCall("Deactivating the authorization", authorizationUrl),
            account.Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.AuthorizationUpdatePayload),
            cancellationToken).ConfigureAwait(false);
        return Authorization.FromResponse(response, authorizationUrl);
    }

    public static async Task<Challenge> AcceptAsync(AcmeAccount account, Uri challengeUrl, CancellationToken cancellationToken)
    {
        UrlPolicy.ThrowIfNotAllowed(challengeUrl, account.Client.DirectoryUrl, nameof(challengeUrl));
        try
        {
            var call = new AcmeCall("Accepting the challenge", challengeUrl);
            var response = await account.Client.PostAsync(call, account.Sender, EmptyObject, cancellationToken).ConfigureAwait(false);
            return Challenge.FromResponse(response);
        }
        catch (AcmeException e) when (e.StatusCode == HttpStatusCode.Conflict || e.HasProblem(AcmeProblemTypes.Malformed))
        {
            // An earlier copy whose response was lost, or another user of the account, has already started the validation, and the server
            // refuses to start it again.
            if (await TryGetAsync(account, challengeUrl, cancellationToken).ConfigureAwait(false) is not { } challenge
                || (challenge.Status == ChallengeStatus.Pending && e.StatusCode != HttpStatusCode.Conflict))
            {
                throw;
            }

            return challenge;
        }
    }

    // If this fails too, the caller gets the original refusal.
    private static async Task<Challenge?> TryGetAsync(AcmeAccount account, Uri challengeUrl, CancellationToken cancellationToken)
    {
        try
        {
            return await account.GetChallengeAsync(challengeUrl, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException)
        {
            return null;
        }
    }
}
