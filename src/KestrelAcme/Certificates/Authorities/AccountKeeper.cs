using System.Net;
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
internal sealed class AccountKeeper(IAuthorityClient client, CertificateStore store, TimeProvider time, ILogger<AccountKeeper> logger)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(100);

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
            if (_account is { } opened && await store.ReadAccountAsync(Specification.Id, cancellationToken) is null)
            {
                await StoreAgainAsync(opened, cancellationToken);
            }
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
            if (_account is { } opened && !ReferenceEquals(opened, lost) && (stored is null || (stored.Metadata.AccountUrl == opened.Url && stored.PrivateKeyPem == _keyPem)))
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

    /// <summary>
    /// Puts a new key in the place of the account's. Both are stored before the authority is asked, so that a crash in between leaves the right one among them.
    /// </summary>
    public async Task RolloverAsync(bool termsAccepted, CancellationToken cancellationToken)
    {
        await OpenAsync(termsAccepted, cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await using var lease = await AcquireLeaseAsync(cancellationToken);
            var stored = await ReadAsync(cancellationToken) ?? throw new InvalidOperationException($"There is no account at {Specification.DirectoryUrl} whose key could be changed.");
            var account = await SettleAsync(stored, lease, cancellationToken);
            var current = await ReadAsync(cancellationToken) ?? stored;
            var key = AccountKey.Generate();
            var next = key.ExportPkcs8Pem();
            await store.WriteAccountAsync(Specification.Id, current with { NextPrivateKeyPem = next }, lease, cancellationToken);
            account = await account.RolloverKeyAsync(key, cancellationToken);
            await store.WriteAccountAsync(Specification.Id, current with { PrivateKeyPem = next }, lease, cancellationToken);
            Keep(account, next);
            logger.AccountKeyChanged(account.Url, Specification.DirectoryUrl);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<AccountRecord?> TryReadAsync(IAuthorityAccount? lost, CancellationToken cancellationToken)
    {
        try
        {
            if (await ReadAsync(cancellationToken) is { } stored)
            {
                return stored;
            }

            if (_account is { } opened && !ReferenceEquals(opened, lost))
            {
                await StoreAgainAsync(opened, cancellationToken);
            }
        }
        catch (StorageUnavailableException) when (_account is not null && !ReferenceEquals(_account, lost))
        {
            // What is open goes on being used.
        }

        return null;
    }

    // The store was emptied: after a restart another account would be made, for which neither CAA records nor orders under way are meant.
    private async Task StoreAgainAsync(IAuthorityAccount opened, CancellationToken cancellationToken)
    {
        await using var lease = await AcquireLeaseAsync(cancellationToken);
        if (await store.ReadAccountAsync(Specification.Id, cancellationToken) is null)
        {
            var metadata = new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, AccountUrl = opened.Url, CreatedAt = time.GetUtcNow(), EmailAddress = Specification.EmailAddress };
            await store.WriteAccountAsync(Specification.Id, new AccountRecord(_keyPem!, metadata), lease, cancellationToken);
            logger.AccountStoredAgain(opened.Url, Specification.DirectoryUrl);
        }
    }

    private async Task<IAuthorityAccount> ReadOrCreateAsync(AccountRecord? stored, IAuthorityAccount? lost, bool termsAccepted, CancellationToken cancellationToken)
    {
        if (stored is { NextPrivateKeyPem: null, Metadata.AccountUrl: { } url } && url != lost?.Url)
        {
            return Keep(client.OpenAccount(AccountKey.FromPem(stored.PrivateKeyPem), url), stored.PrivateKeyPem);
        }

        await using var lease = await AcquireLeaseAsync(cancellationToken);
        stored = await ReadAsync(cancellationToken);
        return stored?.Metadata.AccountUrl is { } known && known != lost?.Url
            ? await SettleAsync(stored, lease, cancellationToken)
            : await CreateAsync(stored, lease, termsAccepted, cancellationToken);
    }

    /// <summary>Opens the account; where a change of its key was broken off, with the key that the authority knows.</summary>
    private async Task<IAuthorityAccount> SettleAsync(AccountRecord stored, IStorageLease lease, CancellationToken cancellationToken)
    {
        if (stored.NextPrivateKeyPem is not { } next)
        {
            return Keep(client.OpenAccount(AccountKey.FromPem(stored.PrivateKeyPem), stored.Metadata.AccountUrl!), stored.PrivateKeyPem);
        }

        var right = await IsKnownAsync(next, cancellationToken) ? next : stored.PrivateKeyPem;
        await store.WriteAccountAsync(Specification.Id, stored with { PrivateKeyPem = right, NextPrivateKeyPem = null }, lease, cancellationToken);
        return Keep(client.OpenAccount(AccountKey.FromPem(right), stored.Metadata.AccountUrl!), right);
    }

    private async Task<bool> IsKnownAsync(string keyPem, CancellationToken cancellationToken)
    {
        try
        {
            await client.FindAccountAsync(AccountKey.FromPem(keyPem), cancellationToken);
            return true;
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist))
        {
            return false;
        }
    }

    private IAuthorityAccount Keep(IAuthorityAccount account, string keyPem)
    {
        (_account, _keyPem) = (account, keyPem);
        return account;
    }

    private async Task<IAuthorityAccount> CreateAsync(AccountRecord? stored, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        var key = stored is null ? AccountKey.Generate() : AccountKey.FromPem(stored.PrivateKeyPem);
        var record = stored ?? new AccountRecord(key.ExportPkcs8Pem(), new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() });
        if (stored is null)
        {
            await store.WriteAccountAsync(Specification.Id, record, lease, cancellationToken);
        }

        var account = await RegisterAsync(key, NewAccountRequests.Create(Specification, termsAccepted), cancellationToken);
        var metadata = record.Metadata with { AccountUrl = account.Url, EmailAddress = Specification.EmailAddress };
        await store.WriteAccountAsync(Specification.Id, record with { Metadata = metadata }, lease, cancellationToken);
        logger.AccountReady(account.Url, Specification.DirectoryUrl);
        return Keep(account, record.PrivateKeyPem);
    }

    private async Task<IAuthorityAccount> RegisterAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CreateAccountAsync(key, request, cancellationToken);
        }
        catch (AcmeException exception) when (exception is { Problem: not null, StatusCode: < HttpStatusCode.InternalServerError }
            and not AcmeRateLimitedException && !exception.HasProblem(AcmeProblemTypes.BadNonce))
        {
            throw new AccountRefusedException(exception, wasBound: request.ExternalAccountBinding is not null);
        }
    }

    private async Task<AccountRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        var record = await store.ReadAccountAsync(Specification.Id, cancellationToken);
        return record?.Metadata.DirectoryUrl == Specification.DirectoryUrl ? record : null;
    }

    private async Task<IStorageLease> AcquireLeaseAsync(CancellationToken cancellationToken)
    {
        // Another instance creates the account right now: it takes a second or two, and then we read what it stored.
        while (true)
        {
            if (await store.Storage.TryAcquireLeaseAsync(StorageLayout.AccountLease(Specification.Id), LeaseDuration, cancellationToken) is { } lease)
            {
                return lease;
            }

            await Task.Delay(LeasePoll, time, cancellationToken);
        }
    }
}
