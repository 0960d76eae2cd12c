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

    /// <summary>Asks for an authorization ahead of any order, where the directory offers it (RFC 8555 section 7.4.1).</summary>
    /// <param name="identifier">The name or address; no wildcard.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException">Among others when the directory does not offer it.</exception>
    public async Task<Authorization> CreateAuthorizationAsync(AcmeIdentifier identifier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        var directory = await Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var url = directory.NewAuthz ?? throw AcmeClient.NotOffered("Creating an authorization", "newAuthz", directory.Url);
        var payload = new NewAuthorizationPayload { Identifier = identifier.ToDocument() };
        var answer = await Client.PostAsync(
            new AcmeCall("Creating an authorization", url) { IsRepeatable = false },
            Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewAuthorizationPayload),
            cancellationToken).ConfigureAwait(false);
        return Authorization.FromResponse(answer, answer.Location ?? throw answer.Malformed("the authorization's URL is missing (Location header)"));
    }

    /// <summary>Reads an authorization.</summary>
    /// <param name="authorizationUrl">The authorization's URL.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    public async Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken = default) =>
        Authorization.FromResponse(
            await FetchAsync("Reading the authorization", authorizationUrl, cancellationToken).ConfigureAwait(false), authorizationUrl);

    /// <summary>Gives an authorization up (RFC 8555 section 7.5.2). At Let's Encrypt a pending one that is given up counts as a failed validation.</summary>
    /// <param name="authorizationUrl">The authorization's URL.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    public async Task<Authorization> DeactivateAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken = default)
    {
        UrlPolicy.ThrowIfNotAllowed(authorizationUrl, Client.DirectoryUrl, nameof(authorizationUrl));
        var payload = new AuthorizationUpdatePayload { Status = "deactivated" };
        var answer = await Client.PostAsync(
            new AcmeCall("Deactivating the authorization", authorizationUrl),
            Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.AuthorizationUpdatePayload),
            cancellationToken).ConfigureAwait(false);
        return Authorization.FromResponse(answer, authorizationUrl);
    }

    /// <summary>Waits until an authorization is no longer pending: look at the result.</summary>
    /// <param name="authorizationUrl">The authorization's URL.</param>
    /// <param name="options">How to poll.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmePollingTimeoutException">The time is up.</exception>
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

    /// <summary>Reads a challenge.</summary>
    /// <param name="challengeUrl">The challenge's URL.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    public async Task<Challenge> GetChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken = default) =>
        ReadChallenge(await FetchAsync("Reading the challenge", challengeUrl, cancellationToken).ConfigureAwait(false));

    /// <summary>Tells the server that the answer to a challenge is in place (RFC 8555 section 7.5.1). The server looks from several places at once, now and maybe again later.</summary>
    /// <param name="challengeUrl">The challenge's URL.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
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
            // An earlier copy, whose answer was lost, or another user of the account has started the validation: the server refuses to
            // start it again.
            if (await TryGetChallengeAsync(challengeUrl, cancellationToken).ConfigureAwait(false) is not { } challenge
                || (challenge.Status == ChallengeStatus.Pending && e.StatusCode != HttpStatusCode.Conflict))
            {
                throw;
            }

            return challenge;
        }
    }

    // What the caller gets to know is the refusal, not that it could not be looked into.
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

    private static Challenge ReadChallenge(AcmeResponse answer) =>
        Challenge.FromDocument(answer.Read(AcmeJson.Default.ChallengeDocument), answer) ?? throw answer.Malformed("that is not a challenge");
}
