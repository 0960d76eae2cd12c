using System.Buffers.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// Registers accounts: the first one, and those that replace a lost one. The key is stored before the request, so that a restart in between
/// finds the same account again and does not create another.
/// </summary>
internal sealed class AccountRegistration(
    IAuthorityClient client, StoredAccount store, AccountBlocks blocks, TimeProvider time, ILogger logger)
{
    private AuthoritySpecification Specification => client.Specification;

    /// <summary>Registers the first account, or finds the one that an earlier run began to register.</summary>
    /// <exception cref="AccountBlockedException">The CA refuses the account.</exception>
    public async Task<OpenedAccount> CreateAsync(
        AccountRecord? stored, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        if (stored is null)
        {
            var metadata = new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() };
            if (Specification.AccountKey is not { } given)
            {
                return await RegisterAsync(WithNewKey(metadata, null), lease, termsAccepted, cancellationToken);
            }

            stored = new AccountRecord(given.Pem, metadata);
        }

        // By its key first, because an external account binding may be good for only one registration.
        try
        {
            var found = await client.FindAccountAsync(AccountKey.FromPem(stored.PrivateKeyPem), cancellationToken);
            return AccountEvidence.Judge(found.Status) switch
            {
                AccountFinding.Valid => await KeepAsync(stored, found, lease, cancellationToken),
                AccountFinding.KeyRevoked when MayReplaceKey(stored) => await RegisterWithNewKeyAsync(
                    stored, lease, termsAccepted, cancellationToken),
                _ => throw await RefuseAsync(refusal: null, isRegistered: true, atOrder: false, cancellationToken),
            };
        }
        catch (AcmeException exception) when (AccountEvidence.Judge(exception) is AccountFinding.Lost or AccountFinding.Valid)
        {
            return await RegisterAsync(stored, lease, termsAccepted, cancellationToken);
        }
        catch (AcmeException exception) when (AccountEvidence.Judge(exception) == AccountFinding.KeyRevoked && MayReplaceKey(stored))
        {
            return await RegisterWithNewKeyAsync(stored, lease, termsAccepted, cancellationToken);
        }
        catch (AcmeException exception) when (AccountEvidence.IsRefusal(exception))
        {
            throw await RefuseAsync(exception, isRegistered: true, atOrder: false, cancellationToken);
        }
    }

    /// <summary>Registers an account that replaces one that the CA no longer knows, or whose key it calls revoked.</summary>
    /// <param name="lost">The lost account.</param>
    /// <param name="isKeyRevoked">Whether its key must not be used again.</param>
    /// <param name="answer">The response of the CA.</param>
    /// <param name="termsAccepted">Whether the operator agrees to the terms of service.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AccountBlockedException">The CA refuses it, or this happened too often recently.</exception>
    public async Task<OpenedAccount> RegisterAnewAsync(
        IAuthorityAccount lost, bool isKeyRevoked, AcmeException? answer, bool termsAccepted, CancellationToken cancellationToken)
    {
        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        var stored = await store.ReadAsync(cancellationToken)
            ?? new AccountRecord(
                lost.Key.ExportPkcs8Pem(),
                new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, AccountUrl = lost.Url, CreatedAt = time.GetUtcNow() });
        using var key = AccountKey.FromPem(stored.PrivateKeyPem);
        if (stored.Metadata.AccountUrl is { } url && (url != lost.Url || key.Thumbprint != lost.Key.Thumbprint))
        {
            // Another instance was faster.
            return new OpenedAccount(client.OpenAccount(AccountKey.FromPem(stored.PrivateKeyPem), url), stored.PrivateKeyPem);
        }

        var now = time.GetUtcNow();
        var anew = stored.Metadata.RegisteredAnew ?? [];
        if (!AccountBlockPolicy.MayRegister(anew, now) || (isKeyRevoked && !MayReplaceKey(stored)))
        {
            throw await RefuseAsync(answer, isRegistered: true, atOrder: false, cancellationToken);
        }

        // Without the URL: after a restart, the key is looked up, and registered if there is no account.
        var metadata = stored.Metadata with
        {
            AccountUrl = null,
            RegisteredAnew = AccountBlockPolicy.Add(anew, now),
            KeyReplacedAt = isKeyRevoked ? now : stored.Metadata.KeyReplacedAt,
        };
        var record = isKeyRevoked ? WithNewKey(metadata, stored.PrivateKeyPem) : new AccountRecord(stored.PrivateKeyPem, metadata);
        logger.AccountLost(lost.Url, Specification.DirectoryUrl, isKeyRevoked ? "a new" : "the same", answer?.Message);
        return await RegisterAsync(record, lease, termsAccepted, cancellationToken);
    }

    /// <summary>Stores the URL under which the CA now has the account of a key.</summary>
    public async Task<OpenedAccount> MoveAsync(
        IAuthorityAccount known, IAuthorityAccount found, CancellationToken cancellationToken)
    {
        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        var stored = await store.ReadAsync(cancellationToken)
            ?? new AccountRecord(
                known.Key.ExportPkcs8Pem(),
                new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() });
        return await KeepAsync(stored, found, lease, cancellationToken);
    }

    /// <summary>
    /// Stores an account again because the store was emptied. After a restart, KestrelAcme would register another account, to which neither
    /// CAA records nor orders in progress belong.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store could not be read or written.</exception>
    public async Task StoreAgainAsync(IAuthorityAccount opened, string keyPem, CancellationToken cancellationToken)
    {
        if (blocks.Find(profile: null) is { Profile: null })
        {
            // A refused account is not kept: deleting it is the way to a new one.
            return;
        }

        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        if (await store.IsEmptyAsync(cancellationToken))
        {
            var metadata = new AccountMetadata
            {
                DirectoryUrl = Specification.DirectoryUrl,
                AccountUrl = opened.Url,
                CreatedAt = time.GetUtcNow(),
                EmailAddress = Specification.EmailAddress,
            };
            await store.WriteAsync(new AccountRecord(keyPem, metadata), lease, cancellationToken);
            logger.AccountStoredAgain(opened.Url, Specification.DirectoryUrl);
        }
    }

    /// <summary>Records that the account is refused for all names.</summary>
    /// <param name="refusal">The response of the CA; <see langword="null"/> if it only shows a status.</param>
    /// <param name="isRegistered">Whether the account was registered before.</param>
    /// <param name="atOrder">Whether an order was refused.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<AccountBlockedException> RefuseAsync(
        AcmeException? refusal, bool isRegistered, bool atOrder, CancellationToken cancellationToken)
    {
        var words = refusal?.Message ?? "The CA reports that the account is no longer valid";
        var message = AccountAdvice.OfAccount(words, refusal?.Problem?.Type, Specification, isRegistered);
        return blocks.BlockAsync(profile: null, message, new RefusalFacts(refusal?.Problem?.Type, atOrder, refusal), cancellationToken);
    }

    private async Task<OpenedAccount> RegisterAsync(
        AccountRecord record, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        await store.WriteAsync(record, lease, cancellationToken);
        try
        {
            var key = AccountKey.FromPem(record.PrivateKeyPem);
            return await KeepAsync(
                record, await client.CreateAccountAsync(key, NewAccountRequests.Create(Specification, termsAccepted), cancellationToken),
                lease, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.BadPublicKey) && MayReplaceKey(record))
        {
            // The CA knows the key as revoked, and no longer has the account. Another key is tried, once.
            return await RegisterWithNewKeyAsync(record, lease, termsAccepted, cancellationToken);
        }
        catch (AcmeException exception) when (AccountEvidence.IsRefusal(exception))
        {
            throw await RefuseAsync(exception, isRegistered: false, atOrder: false, cancellationToken);
        }
    }

    private async Task<OpenedAccount> KeepAsync(
        AccountRecord record, IAuthorityAccount account, IStorageLease lease, CancellationToken cancellationToken)
    {
        var metadata = record.Metadata with { AccountUrl = account.Url, EmailAddress = Specification.EmailAddress };
        await store.WriteAsync(record with { Metadata = metadata, NextPrivateKeyPem = null }, lease, cancellationToken);
        if (record.IsRepaired)
        {
            logger.AccountRepaired(Specification.DirectoryUrl, account.Url);
        }
        else
        {
            logger.AccountReady(account.Url, Specification.DirectoryUrl);
        }

        return new OpenedAccount(account, record.PrivateKeyPem);
    }

    private Task<OpenedAccount> RegisterWithNewKeyAsync(
        AccountRecord record, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
        => RegisterAsync(
            WithNewKey(record.Metadata with { KeyReplacedAt = time.GetUtcNow() }, record.PrivateKeyPem), lease, termsAccepted,
            cancellationToken);

    // A key that the operator chose is not replaced.
    private bool MayReplaceKey(AccountRecord record)
        => record.PrivateKeyPem != Specification.AccountKey?.Pem
            && AccountBlockPolicy.MayReplaceKey(record.Metadata.KeyReplacedAt, time.GetUtcNow());

    private static AccountRecord WithNewKey(AccountMetadata metadata, string? replaced)
    {
        using var key = AccountKey.Generate();
        var pem = key.ExportPkcs8Pem();
        var voucher = replaced is null ? null : HeldAccountKey.Vouch(replaced, pem, metadata.DirectoryUrl);
        return new AccountRecord(pem, metadata with { Voucher = voucher });
    }
}

/// <summary>Creates the request for a new account (RFC 8555 section 7.3).</summary>
internal static class NewAccountRequests
{
    public static NewAccountRequest Create(AuthoritySpecification authority, bool termsAccepted) => new()
    {
        TermsOfServiceAgreed = termsAccepted,
        Contacts = authority.EmailAddress is { } address ? [$"mailto:{address}"] : [],
        ExternalAccountBinding = authority.ExternalAccountBinding is { } binding
            ? new Protocol.Accounts.ExternalAccountBinding(binding.KeyId, Base64Url.EncodeToString(binding.HmacKey.Span))
            : null,
    };
}

/// <summary>An account and its key.</summary>
internal sealed record OpenedAccount(IAuthorityAccount Account, string KeyPem)
{
    /// <summary>Returns the URL, never the key.</summary>
    public override string ToString() => $"account {Account.Url}";
}
