using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Tells an emptied store from a new one, by a value with a random ID that is written when a store is first used. An instance that starts
/// on a store without it writes it. Those that run notice that it is not the one they know, and write back what they have in memory. Each
/// keeps a record in the store meanwhile, and until the others must have noticed, too. Nothing that the store knows nothing about is
/// ordered while there is such a record of another instance.
/// </summary>
/// <remarks>
/// An instance cannot know whether others run, whose registrations were lost with everything else, so one that starts asks them in this way
/// and waits a moment. It happens once in the life of a store, and not at all if the store is in this process or on a disk of this machine,
/// where others notice that the store was emptied as it happens. One that runs asks before it orders what the store knows nothing about:
/// another one may have an order under way, whose lease was lost with everything else.
/// </remarks>
internal sealed class StoreSentinel(
    BoundedStorage storage, IssuanceSettings settings, TimeProvider time, ILogger<StoreSentinel> logger)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LateLook = TimeSpan.FromSeconds(1);

    /// <summary>How often an instance that fills the store says that it is still alive.</summary>
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Silence = RoundTime * 6;

    // If an operator has the store polled less often, no order waits for that.
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(90);

    private readonly string _record = StorageLayout.Filling(Guid.NewGuid().ToString("n"));
    private volatile string? _known;
    private volatile string? _noticed;
    private long _noticedAt = -1;
    private int _round;
    private int _waiting;

    /// <summary>How long others may take to notice that the store was emptied.</summary>
    private TimeSpan Notice
        => settings.StoreAnswer + (storage.WatchDelay < LongestDelay ? storage.WatchDelay : LongestDelay);

    private bool MayOthersNotice => WasNoticedWithin(Notice);

    /// <summary>
    /// Whether the store was emptied lately, as far as this instance knows: what the store knows about a name by now may be less than what
    /// another instance knows.
    /// </summary>
    public bool WasEmptied => WasNoticedWithin(settings.StoreFilling);

    /// <summary>Waits, before anything is ordered, for what others write back to a store that was emptied. Never fails.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = await ReadAsync(cancellationToken);
            if (found is null)
            {
                // Even if another one that starts was faster: it waits for the same answer.
                (found, _) = await CreateAsync(fills: false, cancellationToken);
                found = storage.IsLocal ? found : await WaitForAnswerAsync(found, cancellationToken);
            }

            await WaitUntilFilledAsync(found, cancellationToken);
            _known = found.Id;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever the store throws, the watch finds out later. Nothing is ordered while the store is down.
        }
    }

    /// <summary>Whether the store was emptied, and others may be about to write back what they know.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> MayBeFilledAsync(CancellationToken cancellationToken)
        => MayOthersNotice
            || (await ReadAsync(cancellationToken) is { } found
                ? found.Id != (_known ?? found.Id) || (found.WasFilled && (await ReadOthersAsync(cancellationToken)).Count > 0)
                : _known is not null || !storage.IsLocal);

    /// <summary>Waits for what others write back to a store that was emptied.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task AwaitFillingAsync(CancellationToken cancellationToken)
        => await WaitUntilFilledAsync(await ReadOrCreateAsync(cancellationToken), cancellationToken);

    /// <summary>Finds out whether the store was emptied since this instance last looked.</summary>
    /// <param name="fills">Whether this instance has something to write back. It says so in the store then.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> IsEmptiedAsync(bool fills, CancellationToken cancellationToken)
    {
        var found = await ReadAsync(cancellationToken);
        var known = _known;
        if (found is not null && (known is null || found.Id == known))
        {
            _known = found.Id;
            return false;
        }

        if (found is null && !fills)
        {
            return false;
        }

        var isEmptied = known is not null && fills;
        if (isEmptied)
        {
            // Whoever sees that the store is filled finds the record.
            await ReportRoundAsync(cancellationToken);
        }

        var isNew = false;
        if (found is null || (isEmptied && !found.WasFilled))
        {
            (found, isNew) = await CreateAsync(isEmptied, cancellationToken);
        }

        NoteIfEmptied(found, isNew);
        _known = found.Id;
        if (isEmptied)
        {
            logger.StoreIsFilledAgain();
        }

        return isEmptied;
    }

    /// <summary>
    /// Says again and again that this instance is still writing back, and in the end that it has finished, also if the host stops: others
    /// must not wait for an instance that has ended. Never fails.
    /// </summary>
    /// <param name="filling">Canceled when it has finished.</param>
    public async Task ReportAsync(CancellationToken filling)
    {
        for (var isOver = false; !isOver;)
        {
            isOver = filling.IsCancellationRequested;
            using var limit = new TimeLimit(RoundTime, time);
            try
            {
                await (isOver ? storage.DeleteAsync(_record, lease: null, limit.Token).AsTask() : ReportRoundAsync(limit.Token));
            }
            catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
            {
                // The next round tries again. Without any, others wait for a while only.
            }

            await Task.Delay(RoundTime, time, filling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits until all others must have noticed, too, that the store was emptied.</summary>
    public async Task AwaitNoticeAsync(CancellationToken cancellationToken)
    {
        while (MayOthersNotice)
        {
            await Task.Delay(Look, time, cancellationToken);
        }
    }

    private bool WasNoticedWithin(TimeSpan span)
        => Interlocked.Read(ref _noticedAt) is >= 0 and var at && time.GetElapsedTime(at) < span;

    // If the store was away at the start, this instance does not know whether it was emptied or is new.
    private void NoteIfEmptied(StoreIdentity found, bool isNew)
    {
        if (found.Id != _noticed && (_known is { } known ? found.Id != known : isNew && !storage.IsLocal))
        {
            Interlocked.Exchange(ref _noticedAt, time.GetTimestamp());
            _noticed = found.Id;
        }
    }

    // Whoever answers may have finished by the next look, so any change is an answer.
    private async Task<StoreIdentity> WaitForAnswerAsync(StoreIdentity asked, CancellationToken cancellationToken)
    {
        var found = asked;
        for (var started = time.GetTimestamp(); found == asked && time.GetElapsedTime(started) < settings.StoreAnswer;)
        {
            await Task.Delay(Look, time, cancellationToken);
            found = await ReadAsync(cancellationToken) ?? found;
        }

        return found;
    }

    // As long as anybody else is seen to write. What this instance writes may itself wait for the order that waits here.
    private async Task WaitUntilFilledAsync(StoreIdentity found, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var seen = new Dictionary<string, FillingRecord>(StringComparer.Ordinal);
        var isWaiting = false;
        try
        {
            while (time.GetElapsedTime(started) < settings.StoreFilling)
            {
                var others = found.WasFilled ? await ReadOthersAsync(cancellationToken) : [];
                if (!await IsAnyAliveAsync(others, seen, cancellationToken) && !MayOthersNotice)
                {
                    return;
                }

                if (!isWaiting && Interlocked.Increment(ref _waiting) == 1)
                {
                    logger.WaitingUntilStoreIsFilled();
                }

                isWaiting = true;
                await Task.Delay(time.GetElapsedTime(started) < RoundTime ? Look : LateLook, time, cancellationToken);
                found = await ReadOrCreateAsync(cancellationToken);
            }
        }
        finally
        {
            if (isWaiting)
            {
                Interlocked.Decrement(ref _waiting);
            }
        }
    }

    // The record of an instance that was killed stays behind until somebody has waited for it in vain.
    private async Task<bool> IsAnyAliveAsync(
        Dictionary<string, string> others, Dictionary<string, FillingRecord> seen, CancellationToken cancellationToken)
    {
        var isAnyAlive = false;
        foreach (var (key, round) in others)
        {
            if (!seen.TryGetValue(key, out var last) || last.Round != round)
            {
                seen[key] = new FillingRecord(round, time.GetTimestamp());
                isAnyAlive = true;
            }
            else if (time.GetElapsedTime(last.ChangedAt) < Silence)
            {
                isAnyAlive = true;
            }
            else
            {
                await storage.DeleteAsync(key, lease: null, cancellationToken);
            }
        }

        return isAnyAlive;
    }

    // By this, others learn that the store was emptied, and this instance that it was emptied again while it waited.
    private async Task<StoreIdentity> ReadOrCreateAsync(CancellationToken cancellationToken)
    {
        var (found, isNew) = await ReadAsync(cancellationToken) is { } identity
            ? new FoundIdentity(identity, IsNew: false)
            : await CreateAsync(fills: false, cancellationToken);
        NoteIfEmptied(found, isNew);
        return found;
    }

    private async Task<FoundIdentity> CreateAsync(bool fills, CancellationToken cancellationToken)
    {
        await using var lease = await LeaseWait.AcquireAsync(
            storage, StorageLayout.IdentityLease, LeaseDuration, Look, LeaseDuration, time, cancellationToken);
        var found = await ReadAsync(cancellationToken);
        if (found is not null && (found.WasFilled || !fills))
        {
            return new FoundIdentity(found, IsNew: false);
        }

        var identity = new StoreIdentity(found?.Id ?? Guid.NewGuid().ToString("n"), fills);
        await storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(identity), lease, cancellationToken);
        return new FoundIdentity(identity, IsNew: found is null);
    }

    private async Task<StoreIdentity?> ReadAsync(CancellationToken cancellationToken)
        => await storage.ReadAsync(StorageLayout.Identity, cancellationToken) is { } value ? StoreIdentityFile.Decode(value.Span) : null;

    private async Task<Dictionary<string, string>> ReadOthersAsync(CancellationToken cancellationToken)
    {
        var keys = await storage.ListAsync(StorageLayout.FillingPrefix, cancellationToken)
            .Where(key => key != _record)
            .ToListAsync(cancellationToken);
        if (keys.Count == 0)
        {
            return [];
        }

        return await storage.ReadManyAsync(keys, cancellationToken)
            .ToDictionaryAsync(e => e.Key, e => Encoding.UTF8.GetString(e.Value.Span), cancellationToken: cancellationToken);
    }

    // No two are the same, or a later one would look like the last one of an instance that was killed.
    private async Task ReportRoundAsync(CancellationToken cancellationToken)
        => await storage.WriteAsync(
            _record, Encoding.ASCII.GetBytes($"{Interlocked.Increment(ref _round)}"), lease: null, cancellationToken);

    private sealed record FoundIdentity(StoreIdentity Identity, bool IsNew);

    private sealed record FillingRecord(string Round, long ChangedAt);
}
