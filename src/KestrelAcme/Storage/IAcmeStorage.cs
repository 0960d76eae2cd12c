using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>Stores accounts, certificates, states and challenges as bytes, for one process or for a fleet.</summary>
/// <remarks>
/// <para>
/// Keys are paths of segments separated by <c>/</c>. A segment consists of lower-case letters, digits, <c>.</c>, <c>_</c>, <c>-</c> and
/// <c>+</c>, and is neither <c>.</c> nor <c>..</c> (see <see cref="StorageKey"/>). A key is never also the folder of another key: if
/// <c>a</c> exists, <c>a/b</c> cannot.
/// </para>
/// <para>
/// Values are opaque, at most <see cref="StorageKey.MaxValueLength"/> bytes long, and may contain private keys. An implementation MUST
/// protect them from other users and MUST NOT log them.
/// </para>
/// <para>
/// "Missing" and "unavailable" are different results. A key that does not exist is missing. If the store cannot be reached, an
/// implementation MUST throw <see cref="StorageUnavailableException"/>, so that an outage never looks like "no certificate, order one".
/// </para>
/// <para>All members MUST be safe for concurrent use, and MUST honor their cancellation tokens.</para>
/// </remarks>
/// <example>
/// <code>
/// // Counts the runs of all instances that share the storage. The lease keeps others from writing in between.
/// public sealed class RunCounter(IAcmeStorage storage)
/// {
///     public async Task&lt;bool&gt; TryCountAsync(CancellationToken cancellationToken)
///     {
///         await using var lease = await storage.TryAcquireLeaseAsync("example/runs", TimeSpan.FromSeconds(30), cancellationToken);
///         if (lease is null)
///         {
///             return false;
///         }
///
///         var last = await storage.ReadAsync("example/runs.txt", cancellationToken);
///         var count = last is { } value ? int.Parse(Encoding.UTF8.GetString(value.Span)) : 0;
///         await storage.WriteAsync("example/runs.txt", Encoding.UTF8.GetBytes($"{count + 1}"), lease, cancellationToken);
///         return true;
///     }
/// }
/// </code>
/// </example>
public interface IAcmeStorage
{
    /// <summary>Reads one value.</summary>
    /// <returns>The value, or <see langword="null"/> if the key does not exist.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads many values, in any order. Keys that do not exist are left out. An implementation SHOULD need far fewer round trips than there
    /// are keys.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes one value and replaces the previous one. A reader sees the old value or the new one, never a mixture. When the call returns,
    /// the new value survives a crash.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="lease">
    /// The lease under which the caller writes. An implementation MUST refuse the write with <see cref="LeaseLostException"/> if it knows
    /// that the lease has ended, or that a lease with a higher <see cref="IStorageLease.FencingNumber"/> has been acquired since.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the write may still take effect.</param>
    /// <exception cref="StorageUnavailableException">The store could not be written: it is unreachable, full or read-only.</exception>
    /// <exception cref="LeaseLostException">The lease no longer holds.</exception>
    ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default);

    /// <summary>Deletes one value.</summary>
    /// <returns><see langword="false"/> if the key did not exist.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    /// <exception cref="LeaseLostException">The lease no longer holds.</exception>
    ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default);

    /// <summary>Lists the keys that start with a prefix, in any order. The prefix ends with <c>/</c> or is empty.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reports keys below a prefix that any instance has changed or deleted, until canceled. The first item is
    /// <see cref="StorageChange.Everything"/>, returned as soon as the watch is active, so that a reader that then lists misses nothing.
    /// Changes may be reported late, twice, or although the caller made them itself. After a gap, such as a lost connection or an overflow,
    /// an implementation MUST report <see cref="StorageChange.Everything"/>, so that the reader lists again.
    /// </summary>
    IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>
    /// How long it may take until <see cref="WatchAsync"/> reports what another instance has changed: the interval of an implementation
    /// that polls. Before an instance submits a challenge that the others must know of, it gives them so much more time, up to 90 seconds.
    /// </summary>
    /// <value><see cref="TimeSpan.Zero"/> by default: changes are reported within two seconds.</value>
    TimeSpan WatchDelay => TimeSpan.Zero;

    /// <summary>
    /// Tries to acquire a lease: the exclusive right, among all instances that share the store, to do the work that <paramref name="name"/>
    /// stands for. Does not wait for another holder.
    /// </summary>
    /// <param name="name">A name in the format of a key.</param>
    /// <param name="duration">
    /// How long the lease lasts unless it is renewed: more than zero, at most one day. A store MAY end the lease of a holder earlier if it
    /// knows that the holder is dead.
    /// </param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <returns>The lease, or <see langword="null"/> if another holder has it.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be reached.</exception>
    ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default);

    /// <summary>
    /// Checks whether the store is readable and writable, and whether its content survives a restart of the machine or container.
    /// </summary>
    /// <remarks>Does not throw for a problem it finds, but reports it in the result.</remarks>
    ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default);
}

/// <summary>
/// A lease that is held. Disposing it releases the lease, and never affects a lease that another holder has acquired since.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IStorageLease : IAsyncDisposable
{
    /// <summary>The name of the lease.</summary>
    string Name { get; }

    /// <summary>A number that increases with every lease of this name. A store refuses writes under a lower number.</summary>
    long FencingNumber { get; }

    /// <summary>Canceled as soon as the lease has ended without being released, or may have.</summary>
    CancellationToken Lost { get; }

    /// <summary>Extends the lease by its duration, counted from now.</summary>
    /// <returns><see langword="false"/> if the lease is already lost.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be reached; the lease may still hold until it expires.</exception>
    ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default);
}

/// <summary>A key and its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value, which may contain a private key.</param>
public sealed record StorageEntry(string Key, ReadOnlyMemory<byte> Value)
{
    /// <summary>Returns the key and the length of the value, never the value.</summary>
    public override string ToString() => $"{Key} ({Value.Length} bytes)";
}

/// <summary>Reports that something below a watched prefix may have changed.</summary>
/// <param name="Key">The key that was written or deleted; <see langword="null"/> if anything may have changed.</param>
public sealed record StorageChange(string? Key)
{
    /// <summary>Anything may have changed: list and read again.</summary>
    public static StorageChange Everything { get; } = new((string?)null);
}

/// <summary>The result of <see cref="IAcmeStorage.CheckAsync"/>.</summary>
/// <param name="Readable">Whether the store could be read.</param>
/// <param name="Writable">Whether a test value could be written and removed.</param>
/// <param name="Durable">Whether values survive a restart of the process, the container and the machine, as far as is known.</param>
/// <param name="Place">Where the store is, for operators: a path or a host. Must not contain a secret.</param>
/// <param name="Explanation">What is wrong and how to fix it; <see langword="null"/> if everything is in order.</param>
public sealed record StorageHealth(bool Readable, bool Writable, bool Durable, string Place, string? Explanation);

/// <summary>
/// Thrown if the store could not be read or written: it is unreachable, full, read-only, or access is denied. Says nothing about whether a
/// value exists.
/// </summary>
public sealed class StorageUnavailableException : IOException
{
    /// <summary>Creates the exception with a message that names the store and the fix.</summary>
    public StorageUnavailableException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }
}

/// <summary>Thrown if a write was refused because its lease has ended or another holder has acquired it since.</summary>
public sealed class LeaseLostException : InvalidOperationException
{
    /// <summary>Creates the exception for a lease.</summary>
    public LeaseLostException(string leaseName)
        : base($"The lease '{QuotedText.Of(leaseName, QuotedText.MaxNameLength)}' has ended, "
            + "or another instance holds it; nothing was written.")
        => LeaseName = leaseName;

    /// <summary>The name of the lease.</summary>
    public string LeaseName { get; }
}

/// <summary>
/// A bounded queue of changes for one reader, for implementations of <see cref="IAcmeStorage.WatchAsync"/>. If it overflows, the reader
/// gets <see cref="StorageChange.Everything"/>.
/// </summary>
/// <remarks>Safe for concurrent use by any number of writers and one reader.</remarks>
public sealed class StorageChangeFeed
{
    private const int Capacity = 1024;

    private readonly Channel<StorageChange> _changes = Channel.CreateBounded<StorageChange>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private int _overflowed;

    /// <summary>Adds a change. Never waits.</summary>
    public void Post(StorageChange change)
    {
        if (!_changes.Writer.TryWrite(change))
        {
            // The queue is full, so the reader checks this flag when it takes the next item. If it has taken all of them meanwhile, there
            // is room for another one.
            Interlocked.Exchange(ref _overflowed, 1);
            _changes.Writer.TryWrite(change);
        }
    }

    /// <summary>Returns <see cref="StorageChange.Everything"/> first, and then the posted changes.</summary>
    public async IAsyncEnumerable<StorageChange> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return StorageChange.Everything;
        await foreach (var change in _changes.Reader.ReadAllAsync(cancellationToken))
        {
            if (Interlocked.Exchange(ref _overflowed, 0) == 1)
            {
                yield return StorageChange.Everything;
            }

            yield return change;
        }
    }
}
