using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>
/// Counts the calls to the store, and remembers whether it responded last. Reading and writing are separate: a store that is full or
/// read-only can still be read.
/// </summary>
/// <remarks>Safe for concurrent use. Nothing is asked of the store here.</remarks>
internal sealed class StorageMonitor(TimeProvider time, AcmeHttpsMetrics? metrics = null)
{
    private static readonly string[] Names = [.. Enum.GetNames<StorageOperation>().Select(AcmeHttpsMetrics.Word)];

    private readonly Lock _lock = new();
    private TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // On a full disk, values can be read, and leases given back: that says nothing about writing.
    private StorageFault? _reading;
    private StorageFault? _writing;
    private StorageFault? _others;

    /// <summary>What keeps the store from being used; <see langword="null"/> if its last responses were good.</summary>
    public StorageFault? Fault => _reading ?? _writing ?? _others;

    /// <summary>Completes when a call has failed after the last one succeeded.</summary>
    public Task Failing
    {
        get
        {
            lock (_lock)
            {
                return _failed.Task;
            }
        }
    }

    public void Succeeded(StorageOperation operation)
    {
        Count(operation, Outcomes.Succeeded);
        Note(operation, null);
    }

    /// <summary>Counts a call that ended with an exception, and decides what it says of the store.</summary>
    public void Failed(StorageOperation operation, Exception exception, CancellationToken cancellationToken)
    {
        switch (exception)
        {
            case OperationCanceledException when cancellationToken.IsCancellationRequested:
                Count(operation, Outcomes.Canceled);
                break;
            case LeaseLostException:
                // That is a response.
                Count(operation, Outcomes.LeaseLost);
                Note(operation, null);
                break;
            case StorageUnavailableException { InnerException: KeyProtectionException }:
                // The store responded with a value that cannot be decrypted.
                Count(operation, Outcomes.Failed);
                break;
            case ArgumentException:
                Count(operation, Outcomes.Failed);
                break;
            default:
                Count(operation, exception is StorageUnavailableException ? Outcomes.Unavailable : Outcomes.Failed);
                Note(operation, exception.Message);
                break;
        }
    }

    /// <summary>Takes over what the store reports of itself.</summary>
    public void Checked(StorageHealth health)
    {
        Count(StorageOperation.Check, health is { Readable: true, Writable: true } ? Outcomes.Succeeded : Outcomes.Unavailable);
        var reason = health.Explanation ?? $"The store at {health.Place} does not respond.";
        Note(StorageOperation.Read, health.Readable ? null : reason);
        Note(StorageOperation.Write, health.Writable ? null : reason);
        Note(StorageOperation.Delete, health.Writable ? null : reason);
    }

    private void Count(StorageOperation operation, string outcome) => metrics?.StorageCalled(Names[(int)operation], outcome);

    private void Note(StorageOperation operation, string? reason)
    {
        // Nearly every call succeeds after another one.
        if (reason is null && Slot(operation) is null)
        {
            return;
        }

        lock (_lock)
        {
            ref var slot = ref Slot(operation);
            slot = reason is null ? null
                : new StorageFault(slot?.Since ?? time.GetUtcNow(), QuotedText.Words(reason, QuotedText.MaxReplyLength));
            if (slot is not null)
            {
                _failed.TrySetResult();
            }
            else if (Fault is null && _failed.Task.IsCompleted)
            {
                _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private ref StorageFault? Slot(StorageOperation operation)
    {
        switch (operation)
        {
            case StorageOperation.Read or StorageOperation.ReadMany or StorageOperation.List:
                return ref _reading;
            case StorageOperation.Write:
                return ref _writing;
            default:
                return ref _others;
        }
    }
}

/// <summary>What keeps a store from being used.</summary>
/// <param name="Since">When the first of the calls failed.</param>
/// <param name="Reason">What the last of them said.</param>
internal sealed record StorageFault(DateTimeOffset Since, string Reason);

/// <summary>The calls to a store.</summary>
internal enum StorageOperation
{
    Read,
    ReadMany,
    List,
    Write,
    Delete,
    AcquireLease,
    RenewLease,
    ReleaseLease,
    Check,
}
