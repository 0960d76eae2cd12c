using System.Runtime.CompilerServices;

namespace KestrelAcme.Storage;

/// <summary>
/// A base class for the leases of an <see cref="IAcmeStorage"/>. Keeps the holder's own clock, so that <see cref="Lost"/> is canceled
/// before the store gives the lease to another holder.
/// </summary>
/// <remarks>
/// The holder's time starts before the store is called and ends a little early (a tenth of the duration, at most 5 seconds), so that it
/// never outlasts the store's. Safe for concurrent use.
/// </remarks>
public abstract class StorageLease : IStorageLease
{
    private static readonly TimeSpan MaxMargin = TimeSpan.FromSeconds(5);

    private readonly LeaseExpiry _expiry;

    /// <summary>Creates a lease that the store has granted.</summary>
    /// <param name="name">The name of the lease.</param>
    /// <param name="fencingNumber">The number that the store gave to this lease.</param>
    /// <param name="duration">How long the lease lasts unless it is renewed.</param>
    /// <param name="time">The holder's clock. Only its timestamps and timers are used, never the date.</param>
    /// <param name="asked">A timestamp of <paramref name="time"/> from before the store was called.</param>
    protected StorageLease(string name, long fencingNumber, TimeSpan duration, TimeProvider time, long asked)
    {
        ArgumentNullException.ThrowIfNull(time);
        ThrowIfInvalid(name, duration);
        (Name, FencingNumber, Duration, Time) = (name, fencingNumber, duration, time);
        var margin = duration / 10;
        _expiry = new(time, duration - (margin < MaxMargin ? margin : MaxMargin), asked);
    }

    /// <summary>The longest duration of a lease: one day. The files of a dead holder are kept at least this long.</summary>
    public static TimeSpan MaxDuration { get; } = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long FencingNumber { get; }

    /// <summary>How long the lease lasts unless it is renewed.</summary>
    public TimeSpan Duration { get; }

    /// <summary>The holder's clock.</summary>
    protected TimeProvider Time { get; }

    /// <inheritdoc/>
    public CancellationToken Lost => _expiry.Lost;

    /// <summary>Whether the lease was released, was lost or has expired. An implementation MUST NOT write under such a lease.</summary>
    public bool IsOver => _expiry.IsOver;

    /// <summary>Throws if a lease cannot have this name or this duration.</summary>
    /// <param name="name">The name: a valid key (see <see cref="StorageKey"/>).</param>
    /// <param name="duration">The duration: more than zero, at most <see cref="MaxDuration"/>.</param>
    /// <exception cref="ArgumentException">The name or the duration is not valid.</exception>
    public static void ThrowIfInvalid(string name, TimeSpan duration)
    {
        StorageKey.ThrowIfInvalid(name);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(duration, MaxDuration);
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsOver)
        {
            return false;
        }

        var asked = Time.GetTimestamp();
        if (!await ExtendAsync(cancellationToken))
        {
            MarkLost();
            return false;
        }

        return _expiry.TryExtend(asked);
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    public async ValueTask DisposeAsync()
    {
        // Also after the lease was lost: the store may still name this holder, and releasing it saves others the wait.
        if (_expiry.TryEnd() || Lost.IsCancellationRequested)
        {
            await ReleaseAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Marks the lease as lost and cancels <see cref="Lost"/>, for example because the store refused a write under it.</summary>
    public void MarkLost() => _expiry.Lose();

    /// <summary>Extends the lease in the store by <see cref="Duration"/>, counted from now, if this holder still has it.</summary>
    /// <returns><see langword="false"/> if the lease has ended, or another holder has acquired it since.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be reached.</exception>
    protected abstract ValueTask<bool> ExtendAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Releases the lease in the store, if this holder still has it. MUST NOT throw if the store cannot be reached: the lease expires.
    /// </summary>
    protected abstract ValueTask ReleaseAsync();
}
