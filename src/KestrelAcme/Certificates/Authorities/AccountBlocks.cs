using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// What a CA refuses whatever the names are: the account, or a profile. One state for all names. One attempt at a time tries again, with
/// growing pauses.
/// </summary>
/// <remarks>Safe for concurrent use. If the store is unavailable, this instance continues with what it knows.</remarks>
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

    /// <summary>
    /// Returns the block of orders for a profile, whether or not it is about to be tried again; <see langword="null"/> if there is none.
    /// </summary>
    public AccountBlock? Find(string? profile) => Find(Volatile.Read(ref _blocks), profile);

    /// <summary>Returns the block of orders for a profile, if it is not yet time to try again.</summary>
    public AccountBlock? Active(string? profile)
    {
        var now = time.GetUtcNow();
        return Volatile.Read(ref _blocks).Where(b => IsFor(b, profile) && IsActive(b, now)).MaxBy(b => b.NextAttempt);
    }

    /// <summary>
    /// Returns if the account or the profile may be used. After a pause, one attempt may try again, and the others wait for it.
    /// </summary>
    /// <param name="profile">The profile; <see langword="null"/> for the account as a whole.</param>
    /// <param name="cancellationToken">Cancels waiting.</param>
    /// <returns>The block that this attempt tries again; <see langword="null"/> if there is none.</returns>
    /// <exception cref="AccountBlockedException">The account or the profile is refused.</exception>
    public async Task<AccountBlock?> EnterAsync(string? profile, CancellationToken cancellationToken)
    {
        await RecallAsync(isDue: false, cancellationToken);
        if (Exactly(profile) is { } known && !IsActive(known, time.GetUtcNow()))
        {
            // Another instance may have tried since.
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

    /// <summary>Records that the account or a profile is refused.</summary>
    /// <returns>The failure of the attempt that was refused.</returns>
    public async Task<AccountBlockedException> BlockAsync(
        string? profile, string message, RefusalFacts facts, CancellationToken cancellationToken)
    {
        AccountBlock block;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (Exactly(profile) is { } known && known.At >= facts.Since && known.At <= now)
            {
                // A concurrent attempt found out already. One in the future is from a clock that was set back since.
                return new AccountBlockedException(known, facts.Cause);
            }

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

    /// <summary>Records that the account is valid. A block that was caused by an order stays until an order is accepted.</summary>
    public Task ProvedAsync(Uri accountUrl, CancellationToken cancellationToken)
        => RemoveAsync(b => b is { Profile: null, AtOrder: false }, accountUrl, cancellationToken);

    /// <summary>Records that an order was accepted: neither the account nor its profile is refused any longer.</summary>
    public Task LiftAsync(string? profile, Uri accountUrl, CancellationToken cancellationToken)
        => RemoveAsync(b => IsFor(b, profile), accountUrl, cancellationToken);

    /// <summary>Wakes the certificates that wait for the account.</summary>
    public void TellLifted() => lifted();

    /// <summary>Removes all blocks.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _blocks = [];
        }
    }

    /// <summary>Brings the next attempts forward, because the configuration changed or the application asked.</summary>
    public void TrySoon()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            _blocks = [.. _blocks.Select(b => Soon(b, now))];
        }
    }

    private static AccountBlock? Find(AccountBlock[] blocks, string? profile)
        => Array.Find(blocks, b => b.Profile is null) ?? Array.Find(blocks, b => IsFor(b, profile));

    private static bool IsFor(AccountBlock block, string? profile) => block.Profile is null || block.Profile == (profile ?? "");

    // A time that was set while the clock was far ahead must not last.
    private static bool IsActive(AccountBlock block, DateTimeOffset now) => ClockGuard.IsPlausibleWait(block.NextAttempt, now);

    private AccountBlock Soon(AccountBlock block, DateTimeOffset now)
        => block with { NextAttempt = AccountBlockPolicy.Soon(block.At, block.NextAttempt, block.Refusals, FirstPause, now) };

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

    /// <summary>Reads the blocks that another instance or an earlier run recorded under the same settings.</summary>
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

                // Startup tries again soon. Later, the stored time says which attempt is next.
                _blocks = isDue
                    ? [.. _blocks.Where(b => IsActive(b, now) || stored.Exists(s => s.Profile == b.Profile)).Select(b => Later(b, stored))]
                    : [.. stored.Select(b => Soon(b, now))];
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

/// <summary>The CA refuses the account or the profile. No name is to blame, and none can be ordered until that is fixed.</summary>
internal sealed class AccountBlockedException(AccountBlock block, Exception? cause = null) : InvalidOperationException(block.Message, cause)
{
    public AccountBlock Block => block;
}

/// <summary>The facts of a response that refused the account or the profile.</summary>
/// <param name="ProblemType">The type of the problem (RFC 8555 section 6.7).</param>
/// <param name="AtOrder">Whether an order was refused.</param>
/// <param name="Cause">The response, if there was one.</param>
internal readonly record struct RefusalFacts(string? ProblemType, bool AtOrder, Exception? Cause)
{
    /// <summary>The start of the attempt. What was found out since counts once.</summary>
    public DateTimeOffset Since { get; init; } = DateTimeOffset.MaxValue;
}
