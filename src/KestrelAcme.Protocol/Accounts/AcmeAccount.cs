using System.Text.Json;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>
/// An account at a CA, with all operations that an account authorizes. Immutable and thread-safe; owns neither the key nor the client.
/// If an operation fails, it throws <see cref="AcmeException"/> or a derived type.
/// </summary>
public sealed class AcmeAccount
{
    private const string ChainType = "application/pem-certificate-chain";

    // CAs offer one to three.
    private const int MaxAlternates = 10;

    internal AcmeAccount(AcmeClient client, AccountKey key, Uri url, bool isNew, AccountStatus status = AccountStatus.Unknown)
    {
        Client = client;
        Key = key;
        Url = url;
        IsNew = isNew;
        Status = status;
        Sender = new JwsSender(key.Signer, url);
    }

    /// <summary>The account's URL, which identifies the account. Treat it as opaque.</summary>
    public Uri Url { get; }

    /// <summary>The account's key.</summary>
    public AccountKey Key { get; }

    /// <summary>The client that sends the requests.</summary>
    public AcmeClient Client { get; }

    /// <summary>Whether this call created the account; <see langword="false"/> if it already existed.</summary>
    public bool IsNew { get; }

    /// <summary>
    /// The status reported when the account was created or found by its key; <see cref="AccountStatus.Unknown"/> if the server reported
    /// none, or if the account was opened by its URL.
    /// </summary>
    public AccountStatus Status { get; }

    internal JwsSender Sender { get; }

    /// <summary>Fetches the account from the server.</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<AccountDetails> GetAsync(CancellationToken cancellationToken = default) =>
        AccountDetails.FromResponse(await FetchAsync("Reading the account", Url, cancellationToken).ConfigureAwait(false));

    /// <summary>Replaces the contacts (RFC 8555 section 7.3.2).</summary>
    /// <param name="contacts">E-mail addresses or URLs; an empty list removes all contacts.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<AccountDetails> UpdateContactsAsync(IReadOnlyList<string> contacts, CancellationToken cancellationToken = default) =>
        UpdateAsync(
            "Updating the account's contacts",
            new AccountUpdatePayload { Contact = ContactUrls.Normalize(contacts) },
            cancellationToken);

    /// <summary>
    /// Agrees to changed terms of service (RFC 8555 section 7.3.3). Many CAs want this done on a web page instead: see
    /// <see cref="AcmeProblem.Instance"/> of the problem.
    /// </summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<AccountDetails> AgreeToTermsAsync(CancellationToken cancellationToken = default) =>
        UpdateAsync("Agreeing to the terms of service", new AccountUpdatePayload { TermsOfServiceAgreed = true }, cancellationToken);

    /// <summary>Deactivates the account permanently (RFC 8555 section 7.3.6).</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<AccountDetails> DeactivateAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var update = new AccountUpdatePayload { Status = "deactivated" };
            return await UpdateAsync("Deactivating the account", update, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.FollowsLostAttempt && e.HasProblem(AcmeProblemTypes.Unauthorized))
        {
            // An earlier copy whose response was lost has deactivated the account, so it is no longer authorized.
            return new AccountDetails { Status = AccountStatus.Deactivated };
        }
    }

    /// <summary>
    /// Changes the account's key (RFC 8555 section 7.3.5). The old key can no longer be used afterwards. If the
    /// response is lost, the account is looked up by the new key.
    /// </summary>
    /// <param name="newKey">The new key. Store it before the call.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The same account with the new key.</returns>
    public Task<AcmeAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken = default) =>
        KeyChange.RunAsync(this, newKey, cancellationToken);

    /// <summary>Requests an authorization before any order (pre-authorization, RFC 8555 section 7.4.1). Few CAs offer it.</summary>
    /// <param name="identifier">The name or address; not a wildcard.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, or the directory does not offer pre-authorization.</exception>
    public Task<Authorization> CreateAuthorizationAsync(AcmeIdentifier identifier, CancellationToken cancellationToken = default) =>
        AuthorizationRequests.CreateAsync(this, identifier, cancellationToken);

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
    public Task<Authorization> DeactivateAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken = default) =>
        AuthorizationRequests.DeactivateAsync(this, authorizationUrl, cancellationToken);

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
        Challenge.FromResponse(await FetchAsync("Reading the challenge", challengeUrl, cancellationToken).ConfigureAwait(false));

    /// <summary>
    /// Tells the server that the response to a challenge is in place (RFC 8555 section 7.5.1). The server may validate
    /// it from several network locations at once, now and again later.
    /// </summary>
    /// <param name="challengeUrl">The challenge's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken = default) =>
        AuthorizationRequests.AcceptAsync(this, challengeUrl, cancellationToken);

    /// <summary>
    /// Places an order. The request is never sent twice: if the response is lost, the exception has
    /// <see cref="AcmeException.RequestMayHaveBeenProcessed"/> set. Because a server may return a pending order for the same names, do
    /// not place orders for the same account and names in parallel.
    /// </summary>
    /// <param name="request">The names and other properties of the order.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ArgumentException">The request has no name or address.</exception>
    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken = default) =>
        OrderRequests.CreateAsync(this, request, cancellationToken);

    /// <summary>Fetches an order.</summary>
    /// <param name="orderUrl">The order's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, for example with 404 if the order has expired.</exception>
    public async Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken = default) =>
        Order.FromResponse(await FetchAsync("Reading the order", orderUrl, cancellationToken).ConfigureAwait(false), orderUrl);

    /// <summary>
    /// Finalizes an order that is ready: sends its certificate signing request. It is never sent twice blindly: if the
    /// response is lost, fetch the order.
    /// </summary>
    /// <param name="order">The order.</param>
    /// <param name="csrDer">The signing request in DER; see <see cref="Certificates.CertificateRequestBuilder"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The order, usually <see cref="OrderStatus.Processing"/> or <see cref="OrderStatus.Valid"/>, with the URL of
    /// <paramref name="order"/>.</returns>
    /// <exception cref="ArgumentException">The order has no <see cref="Order.FinalizeUrl"/>.</exception>
    public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> csrDer, CancellationToken cancellationToken = default) =>
        OrderRequests.FinalizeAsync(this, order, csrDer, cancellationToken);

    /// <summary>
    /// Polls an order until its status is accepted by the caller or is final (valid or invalid). Check the status of
    /// the result.
    /// </summary>
    /// <param name="orderUrl">The order's URL.</param>
    /// <param name="isAwaited">Returns <see langword="true"/> to stop at a status.</param>
    /// <param name="options">How to poll; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmePollingTimeoutException">The timeout expired.</exception>
    public Task<Order> WaitForOrderAsync(
        Uri orderUrl, Func<OrderStatus, bool> isAwaited, AcmePollingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(isAwaited);
        return Poller.WaitAsync(
            "Waiting for the order",
            orderUrl,
            token => GetOrderAsync(orderUrl, token),
            order => order.Status is OrderStatus.Valid or OrderStatus.Invalid || isAwaited(order.Status),
            order => order.RetryAfter,
            order => order.Status.ToString(),
            options ?? new AcmePollingOptions(),
            Client.TimeProvider,
            cancellationToken);
    }

    /// <summary>Fetches the account's list of orders (RFC 8555 section 7.1.2.1), at most 10,000.</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns><see langword="null"/> if the server has no such list (Let's Encrypt has none), or it cannot be read.</returns>
    public Task<IReadOnlyList<Uri>?> GetOrdersAsync(CancellationToken cancellationToken = default) =>
        OrderList.ReadAsync(this, cancellationToken);

    /// <summary>Downloads a certificate with its default chain.</summary>
    /// <param name="certificateUrl">The URL in the order, or one of <see cref="CertificateChain.AlternateUrls"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<CertificateChain> DownloadCertificateAsync(Uri certificateUrl, CancellationToken cancellationToken = default) =>
        CertificateChain.FromResponse(
            await FetchAsync("Downloading the certificate", certificateUrl, cancellationToken, ChainType).ConfigureAwait(false),
            certificateUrl);

    /// <summary>
    /// Downloads a certificate with all chains on offer, the default chain first. Choose one with <see cref="ChainSelector"/>.
    /// </summary>
    /// <param name="certificateUrl">The URL in the order.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>
    /// At least the default chain. Alternate chains that cannot be downloaded are left out, because having a certificate matters more.
    /// </returns>
    public async Task<IReadOnlyList<CertificateChain>> DownloadAllChainsAsync(
        Uri certificateUrl, CancellationToken cancellationToken = default)
    {
        var chains = new List<CertificateChain> { await DownloadCertificateAsync(certificateUrl, cancellationToken).ConfigureAwait(false) };
        foreach (var url in chains[0].AlternateUrls.Take(MaxAlternates))
        {
            try
            {
                chains.Add(await DownloadCertificateAsync(url, cancellationToken).ConfigureAwait(false));
            }
            catch (AcmeException)
            {
                // Left out, as documented.
            }
        }

        return chains;
    }

    /// <summary>
    /// Revokes a certificate with the account that ordered it, or an account that is authorized for all its names (RFC
    /// 8555 section 7.6).
    /// </summary>
    /// <param name="der">The certificate in DER.</param>
    /// <param name="reason">The reason; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, for example with <see cref="AcmeProblemTypes.AlreadyRevoked"/>.</exception>
    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> der, RevocationReason? reason = null, CancellationToken cancellationToken = default) =>
        Client.RevokeAsync(Sender, der, reason, cancellationToken);

    internal Task<AcmeResponse> FetchAsync(
        string operation, Uri url, CancellationToken cancellationToken, string accept = "application/json")
    {
        UrlPolicy.ThrowIfNotAllowed(url, Client.DirectoryUrl, nameof(url));
        return Client.PostAsync(new AcmeCall(operation, url) { Accept = accept }, Sender, ReadOnlyMemory<byte>.Empty, cancellationToken);
    }

    private async Task<AccountDetails> UpdateAsync(string operation, AccountUpdatePayload update, CancellationToken cancellationToken)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(update, AcmeJson.Default.AccountUpdatePayload);
        var response = await Client.PostAsync(new AcmeCall(operation, Url), Sender, payload, cancellationToken).ConfigureAwait(false);
        return AccountDetails.FromResponse(response);
    }
}
