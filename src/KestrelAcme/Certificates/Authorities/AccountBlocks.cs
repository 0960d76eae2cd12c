using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// What one authority refuses whatever the names are: the account, or a profile. One state for all names, which one attempt at a time tries again, at growing pauses.
/// </summary>
/// <remarks>Safe for concurrent use. A store that cannot be asked or told changes nothing: this instance knows what it was told itself.</remarks>
internal sealed class AccountBlocks(StoredAccount store, IssuanceSettings settings, TimeProvider time, ILogger logger, Action lifted)
{
    private readonly Lock _lock = new();
    private readonly string _settings = SettingsFingerprint.Of(store.Authority);
    private readonly SemaphoreSlim _recall = new(1, 1);
    private AccountBlock[] _blocks = [];
    private bool _isRecalled;

    private AuthoritySpecification Authority => store.Authority;

    private TimeSpan FirstPause => settings.Retries.AuthorityFirst;

    /// <summary>Whether anything is refused.</summary>
    public bool Any => Volatile.Read(ref _blocks).Length > 0;

    /// <summary>What keeps orders for a profile from this authority, whether or not it is about to be tried again; <see langword="null"/> for nothing.</summary>
    public AccountBlock? Find(string? profile) => Find(Volatile.Read(ref _blocks), profile);

    /// <summary>What keeps orders for a profile from this authority now: nothing is asked before its time.</summary>
    public AccountBlock? Active(string? profile)
    {
        var now = time.GetUtcNow();
        return Volatile.Read(ref _blocks).Where(b => IsFor(b, profile) && IsActive(b, now)).MaxBy(b => b.NextAttempt);
    }

    /// <summary>Goes on only if the account, or a profile, is not refused; once its pause is over, one attempt goes on and tries it, and the others wait for that one.</summary>
    /// <param name="profile">The profile; <see langword="null"/> for the account as a whole.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The block that this attempt is to try; <see langword="null"/> when there is none.</returns>
    /// <exception cref="AccountBlockedException">It is refused.</exception>
    public async Task<AccountBlock?> EnterAsync(string? profile, CancellationToken cancellationToken)
    {
        await RecallAsync(isDue: false, cancellationToken);
        if (Exactly(profile) is { } known && !IsActive(known, time.GetUtcNow()))
        {
            // Another instance may have tried it since.
            await RecallAsync(isDue: true, cancellationToken);
        }

        lock (_lock)
        {
            if (Exactly(profile) is not { } block)
            {
                return null;
            }

            var now = time.GetUtcNow();
            if (IsActive(block, now))
            {
                throw new AccountBlockedException(block);
            }

            Put(block with { NextAttempt = now + AccountBlockPolicy.TimeOfAttempt });
            return block;
        }
    }

    /// <summary>Notes that the account, or a profile, is refused.</summary>
    /// <returns>The failure of the attempt that found out.</returns>
    public async Task<AccountBlockedException> BlockAsync(string? profile, string message, RefusalFacts facts, CancellationToken cancellationToken)
    {
        AccountBlock block;
        lock (_lock)
        {
            if (Exactly(profile) is { } known && known.At >= facts.Since)
            {
                // Another attempt that began with this one found it out already.
                return new AccountBlockedException(known, facts.Cause);
            }

            var now = time.GetUtcNow();
            var refusals = (Exactly(profile)?.Refusals ?? 0) + 1;
            block = new AccountBlock
            {
                Profile = profile,
                ProblemType = facts.ProblemType,
                Message = message,
                At = now,
                NextAttempt = now + AccountBlockPolicy.Pause(refusals, FirstPause),
                Refusals = refusals,
                AtOrder = facts.AtOrder,
                Settings = _settings,
            };
            Put(block);
        }

        logger.AccountBlocked(Authority.DirectoryUrl, message, block.NextAttempt);
        await StoreAsync(cancellationToken);
        return new AccountBlockedException(block, facts.Cause);
    }

    /// <summary>Notes that the account is good; whatever an order was refused for is still to be tried by one.</summary>
    public Task ProvedAsync(Uri accountUrl, CancellationToken cancellationToken) => RemoveAsync(b => b is { Profile: null, AtOrder: false }, accountUrl, cancellationToken);

    /// <summary>Notes that an order was accepted: neither the account nor its profile is refused any longer.</summary>
    public Task LiftAsync(string? profile, Uri accountUrl, CancellationToken cancellationToken) => RemoveAsync(b => IsFor(b, profile), accountUrl, cancellationToken);

    /// <summary>Has those that wait for the account look again: what held them is over.</summary>
    public void TellLifted() => lifted();

    /// <summary>Forgets what was refused.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _blocks = [];
        }
    }

    /// <summary>Has what is refused tried again soon: the configuration has changed, or a person asks.</summary>
    public void TrySoon()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            _blocks = [.. _blocks.Select(b => b with { NextAttempt = AccountBlockPolicy.Soon(b.At, b.NextAttempt, b.Refusals, FirstPause, now) })];
        }
    }

    private static AccountBlock? Find(AccountBlock[] blocks, string? profile) => Array.Find(blocks, b => b.Profile is null) ?? Array.Find(blocks, b => IsFor(b, profile));

    private static bool IsFor(AccountBlock block, string? profile) => block.Profile is null || block.Profile == (profile ?? "");

    // What was set while the clock was far ahead must end.
    private static bool IsActive(AccountBlock block, DateTimeOffset now) => ClockGuard.IsPlausibleWait(block.NextAttempt, now);

    private AccountBlock? Exactly(string? profile) => Array.Find(_blocks, b => b.Profile == profile);

    private void Put(AccountBlock block) => _blocks = [.. _blocks.Where(b => b.Profile != block.Profile), block];

    private async Task RemoveAsync(Predicate<AccountBlock> isOver, Uri accountUrl, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!Array.Exists(_blocks, isOver))
            {
                return;
            }

            _blocks = [.. _blocks.Where(b => !isOver(b))];
        }

        logger.AccountReady(accountUrl, Authority.DirectoryUrl);
        await StoreAsync(cancellationToken);
        TellLifted();
    }

    /// <summary>Takes over what another instance, or an earlier run, was told under the same settings.</summary>
    private async Task RecallAsync(bool isDue, CancellationToken cancellationToken)
    {
        if (!isDue && Volatile.Read(ref _isRecalled))
        {
            return;
        }

        await _recall.WaitAsync(cancellationToken);
        try
        {
            if (!isDue && _isRecalled)
            {
                return;
            }

            var stored = (await store.ReadBlocksAsync(cancellationToken)).Where(b => b.Settings == _settings).ToList();
            lock (_lock)
            {
                var now = time.GetUtcNow();

                // A start tries what was refused; while it runs, whoever is to try next has noted when.
                _blocks = isDue
                    ? [.. _blocks.Where(b => IsActive(b, now) || stored.Exists(s => s.Profile == b.Profile)).Select(b => Later(b, stored))]
                    : [.. stored.Select(b => b with { NextAttempt = AccountBlockPolicy.Soon(b.At, b.NextAttempt, b.Refusals, FirstPause, now) })];
            }

            Volatile.Write(ref _isRecalled, true);
        }
        catch (StorageUnavailableException exception)
        {
            logger.PaceNotStored(exception.Message);
        }
        finally
        {
            _recall.Release();
        }
    }

    private static AccountBlock Later(AccountBlock block, List<AccountBlock> stored)
        => stored.Find(s => s.Profile == block.Profile && s.At > block.At) ?? block;

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.WriteBlocksAsync(Volatile.Read(ref _blocks), cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.PaceNotStored(exception.Message);
        }
    }
}
