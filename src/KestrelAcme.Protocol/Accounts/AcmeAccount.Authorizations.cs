using System.Text.Json;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;
using HttpStatusCode = System.Net.HttpStatusCode;

namespace KestrelAcme.Protocol.Accounts;

/// <content>Authorizations and challenges, RFC 8555 sections 7.4.1 and 7.5.</content>
public sealed partial class AcmeAccount
{
    private static readonly byte[] EmptyObject = "{}"u8.ToArray();

    /// <summary>Requests an authorization before any order (pre-authorization, RFC 8555 section 7.4.1). Few CAs offer it.</summary>
    /// <param name="identifier">The name or address; not a wildcard.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, or the directory does not offer pre-authorization.</exception>
    public async Task<Authorization> CreateAuthorizationAsync(AcmeIdentifier identifier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        var directory = await Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var url = directory.NewAuthz ?? throw AcmeClient.NotOffered("Creating an authorization", "newAuthz", directory.Url);
        var payload = new NewAuthorizationPayload { Identifier = identifier.ToDocument() };
        var response = await Client.PostAsync(
            new AcmeCall("Creating an authorization", url) { IsRepeatable = false },
            Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewAuthorizationPayload),
            cancellationToken).ConfigureAwait(false);
        return Authorization.FromResponse(
            response, response.Location ?? throw response.Malformed("the authorization's URL is missing (Location header)"));
    }

    /// <summary>Fetches an authorization.</summary>
    /// <param name="authorizationUrl">The authorization's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken = default) =>
        Authorization.FromResponse(
            await FetchAsync("Reading the authorization", authorizationUrl, cancellationToken).ConfigureAwait(false), authorizationUrl);

    /// <summary>
    /// Deactivates an authorization (RFC 8555 section 7.5.2). Let's Encrypt counts a deactivated pending authorization
    /// as a failed validation.
    /// </summary>
    /// <param name="authorizationUrl">The authorization's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<Authorization> DeactivateAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken = default)
    {
        UrlPolicy.ThrowIfNotAllowed(authorizationUrl, Client.DirectoryUrl, nameof(authorizationUrl));
        var payload = new AuthorizationUpdatePayload { Status = "deactivated" };
        var response = await Client.PostAsync(
            new AcmeCall("Deactivating the authorization", authorizationUrl),
            Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.AuthorizationUpdatePayload),
            cancellationToken).ConfigureAwait(false);
        return Authorization.FromResponse(response, authorizationUrl);
    }

    /// <summary>Polls an authorization until it is no longer pending. Check the status of the result.</summary>
    /// <param name="authorizationUrl">The authorization's URL.</param>
    /// <param name="options">How to poll; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmePollingTimeoutException">The timeout expired.</exception>
    public Task<Authorization> WaitForAuthorizationAsync(
        Uri authorizationUrl, AcmePollingOptions? options = null, CancellationToken cancellationToken = default) =>
        Poller.WaitAsync(
            "Waiting for the authorization",
            authorizationUrl,
            token => GetAuthorizationAsync(authorizationUrl, token),
            authorization => authorization.Status is not (AuthorizationStatus.Pending or AuthorizationStatus.Unknown),
            authorization => authorization.RetryAfter,
            authorization => authorization.Status.ToString(),
            options ?? new AcmePollingOptions(),
            Client.TimeProvider,
            cancellationToken);

    /// <summary>Fetches a challenge.</summary>
    /// <param name="challengeUrl">The challenge's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<Challenge> GetChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken = default) =>
        ReadChallenge(await FetchAsync("Reading the challenge", challengeUrl, cancellationToken).ConfigureAwait(false));

    /// <summary>
    /// Tells the server that the response to a challenge is in place (RFC 8555 section 7.5.1). The server may validate
    /// it from several network locations at once, now and again later.
    /// </summary>
    /// <param name="challengeUrl">The challenge's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken = default)
    {
        UrlPolicy.ThrowIfNotAllowed(challengeUrl, Client.DirectoryUrl, nameof(challengeUrl));
        try
        {
            var call = new AcmeCall("Accepting the challenge", challengeUrl);
            return ReadChallenge(await Client.PostAsync(call, Sender, EmptyObject, cancellationToken).ConfigureAwait(false));
        }
        catch (AcmeException e) when (e.StatusCode == HttpStatusCode.Conflict || e.HasProblem(AcmeProblemTypes.Malformed))
        {
            // An earlier copy whose response was lost, or another user of the account, has already started the validation, and the server
            // refuses to start it again.
            if (await TryGetChallengeAsync(challengeUrl, cancellationToken).ConfigureAwait(false) is not { } challenge
                || (challenge.Status == ChallengeStatus.Pending && e.StatusCode != HttpStatusCode.Conflict))
            {
                throw;
            }

            return challenge;
        }
    }

    // If this fails too, the caller gets the original refusal.
    private async Task<Challenge?> TryGetChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken)
    {
        try
        {
            return await GetChallengeAsync(challengeUrl, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException)
        {
            return null;
        }
    }

    private static Challenge ReadChallenge(AcmeResponse response) =>
        Challenge.FromDocument(response.Read(AcmeJson.Default.ChallengeDocument), response)
            ?? throw response.Malformed("the response is not a challenge");
}
