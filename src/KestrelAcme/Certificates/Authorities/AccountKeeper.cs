using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// Has the one account at an authority: read from the store, or created once among all instances. The key is stored before the account is created with it, so that a crash
/// in between finds the same account again instead of making another.
/// </summary>
internal sealed class AccountKeeper(IAuthorityClient client, StoredAccount store, TimeProvider time, ILogger<AccountKeeper> logger)
{
    private readonly AccountKeyRollover _rollover = new(client, store);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private IAuthorityAccount? _account;
    private string? _keyPem;

    private AuthoritySpecification Specification => client.Specification;

    /// <summary>Opens the account, creating it where there is none.</summary>
    public Task<IAuthorityAccount> OpenAsync(bool termsAccepted, CancellationToken cancellationToken)
        => OpenCoreAsync(lost: null, termsAccepted, cancellationToken);

    /// <summary>Registers the same key again at an authority that has lost the account.</summary>
    public Task<IAuthorityAccount> RegisterAgainAsync(IAuthorityAccount lost, bool termsAccepted, CancellationToken cancellationToken)
        => OpenCoreAsync(lost, termsAccepted, cancellationToken);

    /// <summary>Stores the account again where it is open and gone from the store.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked, or told.</exception>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        if (_account is null)
        {
            return;
        }

        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_account is { } opened && await store.IsEmptyAsync(cancellationToken))
            {
                await StoreAgainAsync(opened, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Puts a new key in the place of the account's.</summary>
    public async Task RolloverAsync(bool termsAccepted, CancellationToken cancellationToken)
    {
        await OpenAsync(termsAccepted, cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await using var lease = await store.AcquireLeaseAsync(cancellationToken);
            var stored = await store.ReadAsync(cancellationToken) ?? throw new InvalidOperationException($"There is no account at {Specification.DirectoryUrl} whose key could be changed.");
            var settled = await _rollover.SettleAsync(stored, lease, cancellationToken);
            var (account, keyPem) = await _rollover.RunAsync(Open(settled), settled, lease, cancellationToken);
            Keep(account, keyPem);
            logger.AccountKeyChanged(account.Url, Specification.DirectoryUrl);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<IAuthorityAccount> OpenCoreAsync(IAuthorityAccount? lost, bool termsAccepted, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // The store is asked each time: another instance may have registered again, or changed the key.
            var stored = await TryReadAsync(lost, cancellationToken);
            if (Opened(lost) is { } opened && (stored is null || (stored.Metadata.AccountUrl == opened.Url && stored.PrivateKeyPem == _keyPem)))
            {
                return opened;
            }

            return await ReadOrCreateAsync(stored, lost, termsAccepted, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>What is open and not known to be lost.</summary>
    private IAuthorityAccount? Opened(IAuthorityAccount? lost) => ReferenceEquals(_account, lost) ? null : _account;

    private async Task<AccountRecord?> TryReadAsync(IAuthorityAccount? lost, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.ReadAsync(cancellationToken) is { } stored)
            {
                return stored;
            }

            if (Opened(lost) is { } opened)
            {
                await StoreAgainAsync(opened, cancellationToken);
            }
        }
        catch (StorageUnavailableException) when (Opened(lost) is not null)
        {
            // What is open goes on being used.
        }

        return null;
    }

    // The store was emptied: after a restart another account would be made, for which neither CAA records nor orders under way are meant.
    private async Task StoreAgainAsync(IAuthorityAccount opened, CancellationToken cancellationToken)
    {
        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        if (await store.IsEmptyAsync(cancellationToken))
        {
            var metadata = new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, AccountUrl = opened.Url, CreatedAt = time.GetUtcNow(), EmailAddress = Specification.EmailAddress };
            await store.WriteAsync(new AccountRecord(_keyPem!, metadata), lease, cancellationToken);
            logger.AccountStoredAgain(opened.Url, Specification.DirectoryUrl);
        }
    }

    private async Task<IAuthorityAccount> ReadOrCreateAsync(AccountRecord? stored, IAuthorityAccount? lost, bool termsAccepted, CancellationToken cancellationToken)
    {
        if (stored is { NextPrivateKeyPem: null, Metadata.AccountUrl: { } url } && url != lost?.Url)
        {
            return Keep(Open(stored), stored.PrivateKeyPem);
        }

        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        stored = await store.ReadAsync(cancellationToken);
        if (stored?.Metadata.AccountUrl is { } known && known != lost?.Url)
        {
            var settled = await _rollover.SettleAsync(stored, lease, cancellationToken);
            return Keep(Open(settled), settled.PrivateKeyPem);
        }

        return await CreateAsync(stored, lease, termsAccepted, cancellationToken);
    }

    private async Task<IAuthorityAccount> CreateAsync(AccountRecord? stored, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        var key = stored is null ? AccountKey.Generate() : AccountKey.FromPem(stored.PrivateKeyPem);
        var record = stored ?? new AccountRecord(key.ExportPkcs8Pem(), new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() });
        if (stored is null)
        {
            await store.WriteAsync(record, lease, cancellationToken);
        }

        var account = await RegisterAsync(key, NewAccountRequests.Create(Specification, termsAccepted), cancellationToken);
        var metadata = record.Metadata with { AccountUrl = account.Url, EmailAddress = Specification.EmailAddress };
        await store.WriteAsync(record with { Metadata = metadata }, lease, cancellationToken);
        logger.AccountReady(account.Url, Specification.DirectoryUrl);
        return Keep(account, record.PrivateKeyPem);
    }

    private async Task<IAuthorityAccount> RegisterAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CreateAccountAsync(key, request, cancellationToken);
        }
        catch (AcmeException exception) when (AccountRefusedException.IsRefusal(exception))
        {
            throw new AccountRefusedException(exception, wasBound: request.ExternalAccountBinding is not null);
        }
    }

    private IAuthorityAccount Open(AccountRecord record) => client.OpenAccount(AccountKey.FromPem(record.PrivateKeyPem), record.Metadata.AccountUrl!);

    private IAuthorityAccount Keep(IAuthorityAccount account, string keyPem)
    {
        (_account, _keyPem) = (account, keyPem);
        return account;
    }
}
