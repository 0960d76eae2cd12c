namespace KestrelAcme.Storage;

/// <summary>
/// Keeps the bytes of accounts, certificates, states and challenges, for one process or for a fleet.
/// </summary>
/// <remarks>
/// <para>
/// Keys are paths of segments divided by <c>/</c>; a segment is made of lower-case letters, digits, <c>.</c>, <c>_</c>, <c>-</c> and <c>+</c>,
/// and is neither <c>.</c> nor <c>..</c> (see <see cref="StorageKey"/>). Values are opaque, at most <see cref="StorageKey.MaxValueLength"/> bytes, and may hold private keys:
/// an implementation MUST keep them from other users and MUST NOT log them. A key is never also the folder of another one: where <c>a</c> is, <c>a/b</c> cannot be.
/// </para>
/// <para>
/// "Missing" and "unavailable" are different answers. A key that does not exist is reported as missing; a store that cannot be asked MUST throw
/// <see cref="StorageUnavailableException"/>, so that an outage never looks like "no certificate, order one".
/// </para>
/// <para>All members MUST be safe for concurrent use, and MUST honour their cancellation token.</para>
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
    /// <returns>The value, or <see langword="null"/> when the key does not exist.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads many values at once, in any order. Keys that do not exist are left out; the store SHOULD answer in far fewer round trips than there are keys.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    IAsyncEnumerable<StorageEntry> ReadManyAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken = default);

    /// <summary>Writes one value, replacing what was there. A reader sees the old value or the new one, whole; when the call returns, the new one survives a crash.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="lease">
    /// The lease under which the caller writes. The store MUST refuse the write with <see cref="LeaseLostException"/> when it knows that the lease has ended or that
    /// a lease with a higher <see cref="IStorageLease.FencingNumber"/> was given out since.
    /// </param>
    /// <param name="cancellationToken">Cancels the wait; the write may have happened.</param>
    /// <exception cref="StorageUnavailableException">The store could not be written: unreachable, full, read-only.</exception>
    /// <exception cref="LeaseLostException">The lease no longer holds.</exception>
    ValueTask WriteAsync(string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default);

    /// <summary>Deletes one value.</summary>
    /// <returns><see langword="false"/> when the key did not exist.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    /// <exception cref="LeaseLostException">The lease no longer holds.</exception>
    ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default);

    /// <summary>Lists the keys that begin with a prefix, in any order. The prefix ends with <c>/</c> or is empty.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells of changed and deleted keys below a prefix, by whichever instance, until cancelled. The first notice is <see cref="StorageChange.Everything"/>, given as soon
    /// as the watch is in place: a reader that lists then misses nothing. Notifications may come late, twice, or for changes of one's own;
    /// after a gap (a lost connection, an overflow) the store MUST report <see cref="StorageChange.Everything"/>, so that the reader lists again.
    /// </summary>
    IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes a lease: the right of one holder, among all instances that share the store, to do what <paramref name="name"/> stands for.
    /// Does not wait for a holder to finish.
    /// </summary>
    /// <param name="name">A name in the form of a key.</param>
    /// <param name="duration">How long the lease lasts unless it is renewed: more than nothing, a day at most. A store MAY end the lease of a holder that it knows to be dead earlier.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    /// <returns>The lease, or <see langword="null"/> when another holder has it.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    ValueTask<IStorageLease?> TryAcquireLeaseAsync(string name, TimeSpan duration, CancellationToken cancellationToken = default);

    /// <summary>Looks whether the store can be read and written, and whether what it holds survives a restart of the machine or container.</summary>
    /// <remarks>Never throws for what it finds: a fault is its answer.</remarks>
    ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default);
}
