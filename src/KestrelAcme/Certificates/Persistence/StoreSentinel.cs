using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Tells an emptied store from a new one, by a value with a random ID that is written when a store is first used. An instance that starts
/// on a store without it writes it. Those that run notice that it is not the one they know, say so in it, and write back what they have in
/// memory. The one that starts waits for that before it orders anything.
/// </summary>
/// <remarks>
/// An instance cannot know whether others run, whose registrations were lost with everything else, so it asks them in this way and waits a
/// moment. It happens once in the life of a store, and not at all if the store is in this process or on a disk of this machine, where
/// others notice that the store was emptied as it happens. One that runs asks before it orders what the store knows nothing about: another
/// one may have an order under way, whose lease was lost with everything else.
/// </remarks>
internal sealed class StoreSentinel(
    BoundedStorage storage, IssuanceSettings settings, TimeProvider time, ILogger<StoreSentinel> logger)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>How often an instance that fills the store says that it is still alive.</summary>
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Silence = RoundTime * 6;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly string _self = Guid.NewGuid().ToString("n");
    private volatile string? _known;

    /// <summary>Waits, before anything is ordered, for what others write back to a store that was emptied. Never fails.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = await ReadAsync(cancellationToken);
            if (found is null)
            {
                (found, var isNew) = await CreateAsync(filledBy: null, cancellationToken);
                if (isNew && !storage.IsLocal)
                {
                    found = await WaitForAnswerAsync(found, cancellationToken);
                }
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
        => _known is { } known && (await ReadAsync(cancellationToken) is not { } found
            || (found.FilledBy is null ? found.Id != known : found.FilledBy != _self));

    /// <summary>Waits for what others write back to a store that was emptied.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task AwaitFillingAsync(CancellationToken cancellationToken)
    {
        // By this, others learn that it was emptied.
        var found = await ReadAsync(cancellationToken) ?? (await CreateAsync(filledBy: null, cancellationToken)).Identity;
        if (found is { FilledBy: null, Round: 0 })
        {
            found = await WaitForAnswerAsync(found, cancellationToken);
        }

        await WaitUntilFilledAsync(found, cancellationToken);
    }

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
        found ??= (await CreateAsync(isEmptied ? _self : null, cancellationToken)).Identity;
        if (isEmptied && found.FilledBy != _self)
        {
            await WriteAsync(found with { FilledBy = _self, Round = found.Round + 1 }, cancellationToken);
        }

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
            await Task.Delay(RoundTime, time, filling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            isOver = filling.IsCancellationRequested;
            using var limit = new TimeLimit(RoundTime, time);
            try
            {
                await ReportAsync(isOver, limit.Token);
            }
            catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
            {
                // The next round tries again. Without any, others wait for a while only.
            }
        }
    }

    // Several may fill the store at once. The last one that said so reports for all.
    private async Task ReportAsync(bool isOver, CancellationToken cancellationToken)
    {
        if (await ReadAsync(cancellationToken) is { } found && found.FilledBy == _self)
        {
            await WriteAsync(found with { FilledBy = isOver ? null : _self, Round = found.Round + 1 }, cancellationToken);
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

    // As long as somebody else is seen to write. What this instance writes may itself wait for the order that waits here.
    private async Task WaitUntilFilledAsync(StoreIdentity found, CancellationToken cancellationToken)
    {
        if (found.FilledBy is null || found.FilledBy == _self)
        {
            return;
        }

        logger.WaitingUntilStoreIsFilled();
        var started = time.GetTimestamp();
        for (var seen = started; time.GetElapsedTime(seen) < Silence && time.GetElapsedTime(started) < LongestWait;)
        {
            if (found.FilledBy is null || found.FilledBy == _self)
            {
                return;
            }

            await Task.Delay(Look, time, cancellationToken);
            var next = await ReadAsync(cancellationToken) ?? found;
            (found, seen) = (next, next == found ? seen : time.GetTimestamp());
        }
    }

    private async Task<FoundIdentity> CreateAsync(string? filledBy, CancellationToken cancellationToken)
    {
        await using var lease = await LeaseWait.AcquireAsync(
            storage, StorageLayout.IdentityLease, LeaseDuration, Look, LeaseDuration, time, cancellationToken);
        if (await ReadAsync(cancellationToken) is { } found)
        {
            return new FoundIdentity(found, IsNew: false);
        }

        var created = new StoreIdentity(Guid.NewGuid().ToString("n"), filledBy);
        await storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(created), lease, cancellationToken);
        return new FoundIdentity(created, IsNew: true);
    }

    private async Task<StoreIdentity?> ReadAsync(CancellationToken cancellationToken)
        => await storage.ReadAsync(StorageLayout.Identity, cancellationToken) is { } value ? StoreIdentityFile.Decode(value.Span) : null;

    private async Task WriteAsync(StoreIdentity identity, CancellationToken cancellationToken)
        => await storage.WriteAsync(StorageLayout.Identity, StoreIdentityFile.Encode(identity), lease: null, cancellationToken);

    private sealed record FoundIdentity(StoreIdentity Identity, bool IsNew);
}
