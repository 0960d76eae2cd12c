using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// Has the one account at an authority: read from the store, or registered once among all instances. What the authority has against it is found out once for all names, and kept in
/// <see cref="Blocks"/>.
/// </summary>
internal sealed class AccountProvider(IAuthorityClient client, StoredAccount store, AccountBlocks blocks, TimeProvider time, ILogger<AccountProvider> logger)
{
    // What was looked up a moment ago need not be looked up for the next name.
    private static readonly TimeSpan ProofLasts = TimeSpan.FromMinutes(1);

    private readonly AccountKeyRollover _rollover = new(client, store);
    private readonly AccountRegistration _registration = new(client, store, blocks, time, logger);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly SharedFailure _outage = new(time);
    private IAuthorityAccount? _account;
    private string? _keyPem;
    private (IAuthorityAccount Account, long At)? _proved;

    public AccountBlocks Blocks => blocks;

    private AuthoritySpecification Specification => client.Specification;

    /// <summary>Opens the account, registering it if there is none.</summary>
    /// <exception cref="AccountBlockedException">The authority refuses it.</exception>
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

            // The store is asked each time: another instance may have registered again, or changed the key.
            var stored = await TryReadAsync(cancellationToken);
            return _account is { } opened && (stored is null || (stored.PrivateKeyPem == _keyPem && (stored.IsRepaired || stored.Metadata.AccountUrl == opened.Url)))
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
            // No name was mentioned yet.
            throw await _registration.RefuseAsync(exception, isRegistered: true, atOrder: false, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Finds out whether an answer is the account's fault: looks it up by its key, once for all names. One that is lost, or whose key and URL no longer fit, is registered anew, with a new key if
    /// the authority calls the old one revoked; one that is refused is left alone.
    /// </summary>
    /// <param name="suspicion">The account, and what speaks against it.</param>
    /// <param name="termsAccepted">Whether the operator agrees to the terms.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The account that takes its place; <see langword="null"/> if nothing is wrong with it.</returns>
    /// <exception cref="AccountBlockedException">The authority refuses the account.</exception>
    /// <exception cref="AcmeException">The authority did not say.</exception>
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

            if (await FindSuccessorAsync(suspect, cancellationToken) is { } successor)
            {
                return successor;
            }

            if (AccountEvidence.IsCertain(answer))
            {
                throw await _registration.RefuseAsync(answer, isRegistered: true, atOrder: true, cancellationToken);
            }

            if (_proved is { } proved && ReferenceEquals(proved.Account, suspect) && time.GetElapsedTime(proved.At) < ProofLasts && !answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist))
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

    /// <summary>Stores the account again if it is open and gone from the store.</summary>
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

    // What was refused is tried again, by this attempt alone.
    private async Task<IAuthorityAccount> TryAgainAsync(bool termsAccepted, CancellationToken cancellationToken)
    {
        var stored = await store.ReadAsync(cancellationToken);
        if (stored is { NextPrivateKeyPem: null, Metadata.AccountUrl: not null })
        {
            return await ProveAsync(Keep(Open(stored), stored.PrivateKeyPem), suspicion: null, termsAccepted, cancellationToken);
        }

        // An operator who has removed it wants another one.
        _account = stored is null ? null : _account;
        var account = await ReadOrCreateAsync(stored, termsAccepted, cancellationToken);
        await blocks.ProvedAsync(account.Url, cancellationToken);
        return account;
    }

    private async Task<IAuthorityAccount> ProveAsync(IAuthorityAccount suspect, AccountSuspicion? suspicion, bool termsAccepted, CancellationToken cancellationToken)
    {
        var (finding, found, refusal) = await AccountLookUp.RunAsync(client, suspect, cancellationToken);
        if (finding == AccountFinding.Valid && found is null && suspicion?.Answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist) == true)
        {
            // A server that cannot look accounts up, and does not know this one.
            finding = AccountFinding.Lost;
        }

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
                    : await _registration.RegisterAnewAsync(suspect, finding == AccountFinding.KeyRevoked, refusal ?? suspicion?.Answer, termsAccepted, cancellationToken);
                await blocks.ProvedAsync(account.Url, cancellationToken);
                return Keep(account, keyPem);
        }
    }

    /// <summary>The account that another attempt, or another instance, has put in the place of one.</summary>
    private async Task<IAuthorityAccount?> FindSuccessorAsync(IAuthorityAccount suspect, CancellationToken cancellationToken)
    {
        try
        {
            if (await store.ReadAsync(cancellationToken) is { NextPrivateKeyPem: null, Metadata.AccountUrl: not null } stored)
            {
                using var key = AccountKey.FromPem(stored.PrivateKeyPem);
                return stored.Metadata.AccountUrl == suspect.Url && key.Thumbprint == suspect.Key.Thumbprint ? null : Keep(Open(stored), stored.PrivateKeyPem);
            }
        }
        catch (StorageUnavailableException)
        {
            // What is known here has to do.
        }

        return null;
    }

    private async Task<AccountRecord?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await store.ReadAsync(cancellationToken) is { } stored)
            {
                return stored;
            }

            if (_account is { } opened)
            {
                await StoreAgainAsync(opened, cancellationToken);
            }
        }
        catch (StorageUnavailableException) when (_account is not null)
        {
            // What is open goes on being used.
        }

        return null;
    }

    // The store was emptied: after a restart another account would be made, for which neither CAA records nor orders under way are meant.
    private async Task StoreAgainAsync(IAuthorityAccount opened, CancellationToken cancellationToken)
    {
        if (blocks.Find(profile: null) is { Profile: null })
        {
            // One that is refused is worth nothing, and removing it is the way to another one.
            return;
        }

        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        if (await store.IsEmptyAsync(cancellationToken))
        {
            var metadata = new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, AccountUrl = opened.Url, CreatedAt = time.GetUtcNow(), EmailAddress = Specification.EmailAddress };
            await store.WriteAsync(new AccountRecord(_keyPem!, metadata), lease, cancellationToken);
            logger.AccountStoredAgain(opened.Url, Specification.DirectoryUrl);
        }
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

    private IAuthorityAccount Open(AccountRecord record) => client.OpenAccount(AccountKey.FromPem(record.PrivateKeyPem), record.Metadata.AccountUrl!);

    private IAuthorityAccount Keep(IAuthorityAccount account, string keyPem)
    {
        (_account, _keyPem) = (account, keyPem);
        return account;
    }
}
