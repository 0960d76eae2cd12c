using System.Security.Cryptography;
using Azure;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>Grants leases. Thread-safe.</summary>
/// <remarks>
/// <para>
/// Azure's own blob leases last 15 to 60 seconds or for ever, so that a lease here is a record in a blob instead, changed only if its
/// version (ETag) is still the one that was read. All times in it come from the server (the <c>Date</c> of its answers), never from the
/// clock of an instance.
/// </para>
/// <para>
/// The fencing number is the larger of the last number plus one and the server's milliseconds. Records are never removed, so that it
/// grows; if somebody empties the container, the server's clock is ahead of every number given before. That clock shows whole seconds:
/// a new record is therefore granted only in a later second than the one in which it was created.
/// </para>
/// </remarks>
internal sealed class BlobLeases(BlobContainer container, BlobValues values, TimeProvider time)
{
    private const int Attempts = 10;
    private const int HolderLength = 16;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(5);

    private readonly LeaseRecords _records = new(container);

    /// <summary>Acquires a lease; <see langword="null"/> if another holder has it.</summary>
    public async ValueTask<BlobLease?> TryAcquireAsync(string name, TimeSpan duration, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var holder = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(HolderLength));
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await ReadCountableAsync(name, cancellationToken) is not { } stored)
            {
                await _records.TryWriteAsync(name, new LeaseRecord(0, null, 0, []), tag: null, cancellationToken);
                continue;
            }

            // The answer to a write of this loop may have been lost.
            if (stored.Record.Holder == holder)
            {
                return await OpenAsync(stored.Record, stored.Tag);
            }

            if (!stored.Record.IsFree(stored.Now))
            {
                return null;
            }

            var record = new LeaseRecord(
                Math.Max(stored.Record.Number + 1, stored.Now.ToUnixTimeMilliseconds()),
                holder,
                LeaseRecord.EndOf(stored.Now, duration),
                stored.Record.Keys);
            if (await _records.TryWriteAsync(name, record, stored.Tag, cancellationToken) is { } tag)
            {
                return await OpenAsync(record, tag);
            }
        }

        return null;

        async ValueTask<BlobLease> OpenAsync(LeaseRecord record, ETag tag)
        {
            var lease = new BlobLease(_records, name, record, tag, duration, (time, asked));
            try
            {
                foreach (var key in record.Keys)
                {
                    await values.SealAsync(key, record.Number, cancellationToken);
                }
            }
            catch
            {
                // Without the seals the lease excludes nobody. The keys stay in the record for the next holder.
                foreach (var key in record.Keys)
                {
                    lease.Begin(key);
                }

                await lease.DisposeAsync();
                throw;
            }

            return lease;
        }
    }

    // Reads a record, and waits if it was created in this very second.
    private async ValueTask<StoredLease?> ReadCountableAsync(string name, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(Tick, time, cancellationToken))
        {
            var stored = await _records.ReadAsync(name, cancellationToken);
            if (stored is not { Record.Number: 0 }
                || stored.Now.ToUnixTimeSeconds() > stored.Modified.ToUnixTimeSeconds()
                || time.GetElapsedTime(started) > LongestTick)
            {
                return stored;
            }
        }
    }
}
