using Azure;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>A lease that this instance holds, and the keys that are being written under it. Thread-safe.</summary>
internal sealed class BlobLease : StorageLease
{
    private const int Attempts = 5;
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(10);

    private readonly LeaseRecords _records;
    // One change of the record at a time.
    private readonly SemaphoreSlim _changing = new(1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _writing = new(StringComparer.Ordinal);
    // A request whose answer was not seen may still arrive at the server.
    private readonly HashSet<string> _uncertain = new(StringComparer.Ordinal);
    private LeaseRecord _record;
    private ETag _tag;

    public BlobLease(
        LeaseRecords records, string name, LeaseRecord record, ETag tag, TimeSpan duration, (TimeProvider Time, long Asked) clock)
        : base(name, record.Number, duration, clock.Time, clock.Asked)
    {
        _records = records;
        _record = record;
        _tag = tag;
    }

    /// <summary>Notes that a write begins. It ends with <see cref="End"/>.</summary>
    public void Begin(string key)
    {
        lock (_gate)
        {
            _writing[key] = _writing.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>Notes that a write has ended.</summary>
    /// <param name="key">The key.</param>
    /// <param name="isCertain">
    /// <see langword="true"/> if it is known what the value is now; <see langword="false"/> if a request may still be under way;
    /// <see langword="null"/> if none was sent.
    /// </param>
    public void End(string key, bool? isCertain)
    {
        lock (_gate)
        {
            if (--_writing[key] == 0)
            {
                _writing.Remove(key);
            }

            if (isCertain is false)
            {
                _uncertain.Add(key);
            }
            else if (isCertain is true)
            {
                // The version of the value has changed, so that an earlier request can no longer take effect.
                _uncertain.Remove(key);
            }
        }
    }

    /// <summary>
    /// Makes sure that this instance still holds the lease, and that its record names the key. The next holder of the lease
    /// then knows that the key may be about to change.
    /// </summary>
    /// <returns><see langword="false"/> if the lease is lost.</returns>
    public async ValueTask<bool> ConfirmAsync(string key, CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            if (IsOver)
            {
                return false;
            }

            return _record.Keys.Contains(key, StringComparer.Ordinal)
                ? await _records.ReadAsync(Name, cancellationToken) is { } stored && Adopt(stored)
                : await ChangeAsync(record => record with { Keys = KeysWith(key) }, cancellationToken);
        }
        finally
        {
            _changing.Release();
        }
    }

    protected override async ValueTask<bool> ExtendAsync(CancellationToken cancellationToken)
    {
        await _changing.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                if (await _records.ReadAsync(Name, cancellationToken) is not { } stored || !Adopt(stored))
                {
                    return false;
                }

                var record = _record with { Until = LeaseRecord.EndOf(stored.Now, Duration), Keys = KeysWith(null) };
                if (await TryWriteAsync(record, cancellationToken))
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            _changing.Release();
        }
    }

    protected override async ValueTask ReleaseAsync()
    {
        using var limit = new TimeLimit(ReleaseLimit, Time);
        try
        {
            await _changing.WaitAsync(limit.Token);
            try
            {
                await ChangeAsync(record => record with { Holder = null, Until = 0, Keys = KeysWith(null) }, limit.Token);
            }
            finally
            {
                _changing.Release();
            }
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            // The lease expires.
        }
    }

    // Changes the record without asking for the time, as long as it is this holder's.
    private async ValueTask<bool> ChangeAsync(Func<LeaseRecord, LeaseRecord> change, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (await TryWriteAsync(change(_record), cancellationToken))
            {
                return true;
            }

            // Another holder, or a request of this one whose answer was lost.
            if (await _records.ReadAsync(Name, cancellationToken) is not { } stored || !Adopt(stored))
            {
                return false;
            }
        }

        return false;
    }

    private async ValueTask<bool> TryWriteAsync(LeaseRecord record, CancellationToken cancellationToken)
    {
        if (await _records.TryWriteAsync(Name, record, _tag, cancellationToken) is not { } tag)
        {
            return false;
        }

        (_record, _tag) = (record, tag);
        return true;
    }

    // Whether the stored record is this holder's and has not run out.
    private bool Adopt(StoredLease stored)
    {
        if (stored.Record.Holder != _record.Holder || stored.Record.Number != FencingNumber || stored.Record.IsFree(stored.Now))
        {
            return false;
        }

        (_record, _tag) = (stored.Record, stored.Tag);
        return true;
    }

    // Keys that were written and whose state is certain need no longer be in the record.
    private List<string> KeysWith(string? key)
    {
        lock (_gate)
        {
            var keys = new HashSet<string>(_writing.Keys, StringComparer.Ordinal);
            keys.UnionWith(_uncertain);
            if (key is not null)
            {
                keys.Add(key);
            }

            return [.. keys];
        }
    }
}
