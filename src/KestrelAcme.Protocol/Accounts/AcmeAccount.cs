using System.Text.Json;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>
/// An account at a CA, with all operations that an account authorizes. Immutable and thread-safe; owns neither the key nor the client.
/// If an operation fails, it throws <see cref="AcmeException"/> or a derived type.
/// </summary>
public sealed partial class AcmeAccount
{
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

    private JwsSender Sender { get; }

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
    public async Task<AcmeAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(newKey);
        var directory = await Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var url = directory.KeyChange ?? throw AcmeClient.NotOffered("Changing the account's key", "keyChange", directory.Url);
        using var oldKey = JsonDocument.Parse(Key.Signer.Jwk());
        var change = new KeyChangePayload { Account = Url.OriginalString, OldKey = oldKey.RootElement };
        var newSender = new JwsSender(newKey.Signer, AccountUrl: null);
        var json = JsonSerializer.SerializeToUtf8Bytes(change, AcmeJson.Default.KeyChangePayload);
        var inner = FlattenedJws.ForRequest(newSender, url, nonce: null, json);
        var call = new AcmeCall("Changing the account's key", url) { IsRepeatable = false };
        var renewed = new AcmeAccount(Client, newKey, Url, isNew: false);
        try
        {
            await Client.PostAsync(call, Sender, inner, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.RequestMayHaveBeenProcessed)
        {
            if (!await renewed.IsKeyKnownAsync(cancellationToken).ConfigureAwait(false))
            {
                throw;
            }
        }

        return renewed;
    }

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

    private async Task<bool> IsKeyKnownAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = await Client.FindAccountAsync(Key, cancellationToken).ConfigureAwait(false);
            return found.Url == Url;
        }
        catch (AcmeException)
        {
            // The caller gets the first failure, which says that the result is uncertain.
            return false;
        }
    }
}
