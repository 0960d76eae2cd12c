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
/// Registers accounts, the first one and those that take the place of a lost one. The key is stored before the account is created with it, so that a crash in between finds the same account again
/// instead of making another.
/// </summary>
internal sealed class AccountRegistration(IAuthorityClient client, StoredAccount store, AccountBlocks blocks, TimeProvider time, ILogger logger)
{
    private AuthoritySpecification Specification => client.Specification;

    /// <summary>Registers the first account, or finds the one that an earlier run began to register.</summary>
    /// <exception cref="AccountBlockedException">The authority refuses it.</exception>
    public async Task<(IAuthorityAccount Account, string KeyPem)> CreateAsync(AccountRecord? stored, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        if (stored is null)
        {
            return await RegisterAsync(WithNewKey(new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() }), lease, termsAccepted, cancellationToken);
        }

        // By its key first: a binding to a customer account may be good for one registration only.
        try
        {
            var found = await client.FindAccountAsync(AccountKey.FromPem(stored.PrivateKeyPem), cancellationToken);
            return AccountEvidence.Judge(found.Status) switch
            {
                AccountFinding.Valid => await KeepAsync(stored, found, lease, cancellationToken),
                AccountFinding.KeyRevoked when MayReplaceKey(stored) => await RegisterWithNewKeyAsync(stored, lease, termsAccepted, cancellationToken),
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

    /// <summary>Registers an account in the place of one that the authority no longer knows, or whose key it calls revoked.</summary>
    /// <param name="lost">The account that is lost.</param>
    /// <param name="isKeyRevoked">Whether its key must not be used again.</param>
    /// <param name="answer">What the authority said.</param>
    /// <param name="termsAccepted">Whether the operator agrees to the terms.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="AccountBlockedException">The authority refuses it, or this has happened too often of late.</exception>
    public async Task<(IAuthorityAccount Account, string KeyPem)> RegisterAnewAsync(
        IAuthorityAccount lost, bool isKeyRevoked, AcmeException? answer, bool termsAccepted, CancellationToken cancellationToken)
    {
        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        var stored = await store.ReadAsync(cancellationToken)
            ?? new AccountRecord(lost.Key.ExportPkcs8Pem(), new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, AccountUrl = lost.Url, CreatedAt = time.GetUtcNow() });
        using var key = AccountKey.FromPem(stored.PrivateKeyPem);
        if (stored.Metadata.AccountUrl is { } url && (url != lost.Url || key.Thumbprint != lost.Key.Thumbprint))
        {
            // Another instance was faster.
            return (client.OpenAccount(AccountKey.FromPem(stored.PrivateKeyPem), url), stored.PrivateKeyPem);
        }

        var now = time.GetUtcNow();
        var anew = stored.Metadata.RegisteredAnew ?? [];
        if (!AccountBlockPolicy.MayRegister(anew, now) || (isKeyRevoked && !MayReplaceKey(stored)))
        {
            throw await RefuseAsync(answer, isRegistered: true, atOrder: false, cancellationToken);
        }

        // Without its URL: a crash after this looks the key up, and registers it if there is nothing.
        var metadata = stored.Metadata with { AccountUrl = null, RegisteredAnew = AccountBlockPolicy.Add(anew, now), KeyReplacedAt = isKeyRevoked ? now : stored.Metadata.KeyReplacedAt };
        var record = isKeyRevoked ? WithNewKey(metadata) : new AccountRecord(stored.PrivateKeyPem, metadata);
        logger.AccountLost(lost.Url, Specification.DirectoryUrl, isKeyRevoked ? "a new" : "the same", answer?.Message);
        return await RegisterAsync(record, lease, termsAccepted, cancellationToken);
    }

    /// <summary>Keeps the URL under which the authority has the account of a key now.</summary>
    public async Task<(IAuthorityAccount Account, string KeyPem)> MoveAsync(IAuthorityAccount known, IAuthorityAccount found, CancellationToken cancellationToken)
    {
        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        var stored = await store.ReadAsync(cancellationToken)
            ?? new AccountRecord(known.Key.ExportPkcs8Pem(), new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() });
        return await KeepAsync(stored, found, lease, cancellationToken);
    }

    /// <summary>Notes that the account is refused, for all names.</summary>
    /// <param name="refusal">The authority's answer; <see langword="null"/> if it only shows a status.</param>
    /// <param name="isRegistered">Whether the account was registered before.</param>
    /// <param name="atOrder">Whether an order was refused.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task<AccountBlockedException> RefuseAsync(AcmeException? refusal, bool isRegistered, bool atOrder, CancellationToken cancellationToken)
    {
        var words = refusal?.Message ?? "The authority says that the account is no longer valid";
        var message = AccountAdvice.OfAccount(words, refusal?.Problem?.Type, Specification, isRegistered);
        return blocks.BlockAsync(profile: null, message, new RefusalFacts(refusal?.Problem?.Type, atOrder, refusal), cancellationToken);
    }

    private async Task<(IAuthorityAccount Account, string KeyPem)> RegisterAsync(AccountRecord record, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        await store.WriteAsync(record, lease, cancellationToken);
        try
        {
            var key = AccountKey.FromPem(record.PrivateKeyPem);
            return await KeepAsync(record, await client.CreateAccountAsync(key, NewAccountRequests.Create(Specification, termsAccepted), cancellationToken), lease, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.BadPublicKey) && MayReplaceKey(record))
        {
            // The authority knows the key as revoked, and the account no longer: another key, once.
            return await RegisterWithNewKeyAsync(record, lease, termsAccepted, cancellationToken);
        }
        catch (AcmeException exception) when (AccountEvidence.IsRefusal(exception))
        {
            throw await RefuseAsync(exception, isRegistered: false, atOrder: false, cancellationToken);
        }
    }

    private async Task<(IAuthorityAccount Account, string KeyPem)> KeepAsync(AccountRecord record, IAuthorityAccount account, IStorageLease lease, CancellationToken cancellationToken)
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

        return (account, record.PrivateKeyPem);
    }

    private Task<(IAuthorityAccount Account, string KeyPem)> RegisterWithNewKeyAsync(AccountRecord record, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
        => RegisterAsync(WithNewKey(record.Metadata with { KeyReplacedAt = time.GetUtcNow() }), lease, termsAccepted, cancellationToken);

    private bool MayReplaceKey(AccountRecord record) => AccountBlockPolicy.MayReplaceKey(record.Metadata.KeyReplacedAt, time.GetUtcNow());

    private static AccountRecord WithNewKey(AccountMetadata metadata)
    {
        using var key = AccountKey.Generate();
        return new AccountRecord(key.ExportPkcs8Pem(), metadata);
    }
}

/// <summary>What an authority is told when an account is created.</summary>
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
