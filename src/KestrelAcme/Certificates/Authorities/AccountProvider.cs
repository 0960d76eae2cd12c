using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Opens the account at a CA: reads it from the store, or registers it once for all instances.</summary>
internal sealed class AccountProvider(
    IAuthorityClient client, StoredAccount store, AccountBlocks blocks, TimeProvider time, ILogger<AccountProvider> logger)
{
    // A recent look-up need not be repeated for the next name.
    private static readonly TimeSpan ProofLasts = TimeSpan.FromMinutes(1);

    private readonly AccountKeyRollover _rollover = new(client, store);
    private readonly AccountRegistration _registration = new(client, store, blocks, time, logger);
    private readonly HeldAccountKey _held = new(store, time, logger);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly SharedFailure _outage = new(time);
    private IAuthorityAccount? _account;
    private string? _keyPem;
    private bool _saidOfAnotherKey;
    private (IAuthorityAccount Account, long At)? _proved;

    public AccountBlocks Blocks => blocks;

    /// <summary>The key of the account, for challenges.</summary>
    public HeldAccountKey Key => _held;

    private AuthoritySpecification Specification => client.Specification;

    /// <summary>Reads the account as it is stored; <see langword="null"/> if there is none.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public Task<AccountRecord?> ReadStoredAsync(CancellationToken cancellationToken) => store.ReadAsync(cancellationToken);

    /// <summary>Opens the account, and registers it if there is none.</summary>
    /// <exception cref="AccountBlockedException">The CA refuses the account.</exception>
    public async Task<IAuthorityAccount> OpenAsync(bool termsAccepted, CancellationToken cancellationToken)
    {
        var waitingSince = time.GetTimestamp();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _outage.ThrowIfAfter(waitingSince);
            if (await blocks.EnterAsync(profile: null, cancellationToken) is not null)
            {
                return await TryAgainAsync(termsAccepted, cancellationToken);
            }

            // The store is read each time, because another instance may have registered the account again or replaced its key.
            var stored = await TryReadAsync(cancellationToken);
            return _account is { } opened
                && (stored is null || (stored is { NextPrivateKeyPem: null } && stored.PrivateKeyPem == _keyPem
                    && (stored.IsRepaired || stored.Metadata.AccountUrl == opened.Url)))
                ? opened
                : await ReadOrCreateAsync(stored, termsAccepted, cancellationToken);
        }
        catch (AcmeUnreachableException exception)
        {
            _outage.Note(exception);
            throw;
        }
        catch (AcmeException exception) when (AccountEvidence.IsRefusal(exception))
        {
            // No name was sent yet.
            throw await _registration.RefuseAsync(exception, isRegistered: true, atOrder: false, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Finds out whether a response is the account's fault by looking up the account, once for all names. An account that is lost, or whose
    /// key and URL no longer match, is registered again, with a new key if the CA calls the old one revoked.
    /// </summary>
    /// <param name="suspicion">The account, and the response that speaks against it.</param>
    /// <param name="termsAccepted">Whether the operator agrees to the terms of service.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <returns>The account that replaces it; <see langword="null"/> if nothing is wrong with it.</returns>
    /// <exception cref="AccountBlockedException">The authority refuses the account.</exception>
    /// <exception cref="AcmeException">The CA did not say.</exception>
    public async Task<IAuthorityAccount?> ExamineAsync(AccountSuspicion suspicion, bool termsAccepted, CancellationToken cancellationToken)
    {
        var (suspect, answer) = (suspicion.Account, suspicion.Answer);
        var waitingSince = time.GetTimestamp();
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _outage.ThrowIfAfter(waitingSince);
            if (blocks.Find(profile: null) is { Profile: null } known && known.At >= suspicion.OpenedAt)
            {
                throw new AccountBlockedException(known, answer);
            }

            if (await FindSuccessorAsync(suspect, cancellationToken) is var successor && (successor is not null || suspicion.IsOfKeyOnly))
            {
                return successor;
            }

            if (AccountEvidence.IsCertain(answer))
            {
                throw await _registration.RefuseAsync(answer, isRegistered: true, atOrder: true, cancellationToken);
            }

            if (_proved is { } proved && ReferenceEquals(proved.Account, suspect) && time.GetElapsedTime(proved.At) < ProofLasts
                && !answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist))
            {
                return null;
            }

            var sound = await ProveAsync(suspect, suspicion, termsAccepted, cancellationToken);
            return ReferenceEquals(sound, suspect) ? null : sound;
        }
        catch (AcmeUnreachableException exception)
        {
            _outage.Note(exception);
            throw;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Stores the account again if it is open and missing from the store.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read or written.</exception>
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
                await _registration.StoreAgainAsync(opened, _keyPem!, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Replaces the key of the account (RFC 8555 section 7.3.5).</summary>
    /// <exception cref="AccountBlockedException">The authority refuses the account.</exception>
    public async Task RolloverAsync(bool termsAccepted, CancellationToken cancellationToken)
    {
        await OpenAsync(termsAccepted, cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await using var lease = await store.AcquireLeaseAsync(cancellationToken);
            var stored = await store.ReadAsync(cancellationToken)
                ?? throw new InvalidOperationException($"There is no account at {Specification.DirectoryUrl} whose key could be changed.");
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

    // One attempt tries a refused account again.
    private async Task<IAuthorityAccount> TryAgainAsync(bool termsAccepted, CancellationToken cancellationToken)
    {
        var stored = await store.ReadAsync(cancellationToken);
        if (stored is not null && _account is { } known && !_held.Accepts(stored))
        {
            return await ProveAsync(known, suspicion: null, termsAccepted, cancellationToken);
        }

        if (stored is { NextPrivateKeyPem: null, Metadata.AccountUrl: not null })
        {
            return await ProveAsync(Keep(Open(stored), stored.PrivateKeyPem), suspicion: null, termsAccepted, cancellationToken);
        }

        // If the operator deleted the account, a new one is registered.
        _account = stored is null ? null : _account;
        var account = await ReadOrCreateAsync(stored, termsAccepted, cancellationToken);
        await blocks.ProvedAsync(account.Url, cancellationToken);
        return account;
    }

    private async Task<IAuthorityAccount> ProveAsync(
        IAuthorityAccount suspect, AccountSuspicion? suspicion, bool termsAccepted, CancellationToken cancellationToken)
    {
        var (finding, found, refusal) = await AccountLookUp.RunAsync(client, suspect, suspicion?.Answer, cancellationToken);
        switch (finding)
        {
            case AccountFinding.Valid when found is null || found.Url == suspect.Url:
                _proved = (suspect, time.GetTimestamp());
                await blocks.ProvedAsync(suspect.Url, cancellationToken);
                return suspect;
            case AccountFinding.Refused:
            case AccountFinding.Lost or AccountFinding.KeyRevoked when suspicion is { MayRegister: false }:
                throw await _registration.RefuseAsync(refusal ?? suspicion?.Answer, isRegistered: true, atOrder: false, cancellationToken);
            default:
                var (account, keyPem) = finding == AccountFinding.Valid
                    ? await _registration.MoveAsync(suspect, found!, cancellationToken)
                    : await _registration.RegisterAnewAsync(
                        suspect, finding == AccountFinding.KeyRevoked, refusal ?? suspicion?.Answer, termsAccepted, cancellationToken);
                await blocks.ProvedAsync(account.Url, cancellationToken);
                return Keep(account, keyPem);
        }
    }

    /// <summary>Returns the account with which another attempt or an instance that knew the key replaced one.</summary>
    private async Task<IAuthorityAccount?> FindSuccessorAsync(IAuthorityAccount suspect, CancellationToken cancellationToken)
    {
        try
        {
            // If the outcome of a rollover is not known, the CA knows one of the two keys.
            if (await store.ReadAsync(cancellationToken) is { } read && _held.Accepts(read)
                && (read.NextPrivateKeyPem is null ? read : await _rollover.SettleAsync(cancellationToken))
                    is { Metadata.AccountUrl: not null } stored)
            {
                using var key = AccountKey.FromPem(stored.PrivateKeyPem);
                return stored.Metadata.AccountUrl == suspect.Url && key.Thumbprint == suspect.Key.Thumbprint
                    ? null
                    : Keep(Open(stored), stored.PrivateKeyPem);
            }
        }
        catch (StorageUnavailableException)
        {
            // KestrelAcme continues with what it knows.
        }

        return null;
    }

    private async Task<AccountRecord?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await store.ReadAsync(cancellationToken) is { } stored)
            {
                // Someone replaced the account: this process continues with the one that it knows.
                return _held.Accepts(stored) ? stored : _account is null ? _held.Record : null;
            }

            if (_account is { } opened)
            {
                await _registration.StoreAgainAsync(opened, _keyPem!, cancellationToken);
            }
        }
        catch (StorageUnavailableException) when (_account is not null)
        {
            // The open account is still used.
        }

        return null;
    }

    private async Task<IAuthorityAccount> ReadOrCreateAsync(AccountRecord? stored, bool termsAccepted, CancellationToken cancellationToken)
    {
        if (stored is { NextPrivateKeyPem: null, Metadata.AccountUrl: not null })
        {
            return Keep(Open(stored), stored.PrivateKeyPem);
        }

        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        stored = await store.ReadAsync(cancellationToken) is { } read ? await _rollover.SettleAsync(read, lease, cancellationToken) : null;
        if (stored?.Metadata.AccountUrl is not null)
        {
            return Keep(Open(stored), stored.PrivateKeyPem);
        }

        var (account, keyPem) = await _registration.CreateAsync(stored, lease, termsAccepted, cancellationToken);
        return Keep(account, keyPem);
    }

    private IAuthorityAccount Open(AccountRecord record)
        => client.OpenAccount(AccountKey.FromPem(record.PrivateKeyPem), record.Metadata.AccountUrl!);

    private IAuthorityAccount Keep(IAuthorityAccount account, string keyPem)
    {
        if (Specification.AccountKey is { } given && given.Pem != keyPem && !_saidOfAnotherKey)
        {
            _saidOfAnotherKey = true;
            logger.AccountKeyFileNotUsed(Specification.DirectoryUrl, account.Url);
        }

        (_account, _keyPem) = (account, keyPem);
        _held.Hold(keyPem);
        return account;
    }
}
