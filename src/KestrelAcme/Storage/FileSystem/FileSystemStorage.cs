using System.Runtime.CompilerServices;
using KestrelAcme.Storage.Durability;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Stores each value in its own file below a folder, for one instance or for several that share the folder.</summary>
internal sealed class FileSystemStorage : IAcmeStorage, ILocalStorage, IDisposable
{
    private const int BatchSize = 128;
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);

    private readonly StoragePaths _paths;
    private readonly OwnerRegistration _registration;
    private readonly FileSystemLeases _leases;
    private readonly FileSystemReader _reader;
    private readonly FileSystemCheck _check;
    private readonly SystemFolderEvents _events;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private volatile string? _realRoot;

    /// <param name="path">The root folder. Created at the first write.</param>
    /// <param name="timeProvider">The clock for leases and scans.</param>
    /// <param name="logger">The logger for warnings.</param>
    /// <param name="host">Returns facts about the machine. By default they are gathered for each check.</param>
    /// <param name="traits">What tests pretend about the file system.</param>
    internal FileSystemStorage(
        string path,
        TimeProvider timeProvider,
        ILogger<FileSystemStorage> logger,
        Func<HostFacts>? host = null,
        FolderTraits? traits = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        _paths = new(path);
        _time = timeProvider;
        _logger = logger;
        traits ??= new();
        var clock = new ServerClock(timeProvider, traits.ServerTime);
        var claims = new LeaseClaims(_paths, clock, timeProvider);
        _registration = new(_paths, traits, claims, clock, logger);
        _leases = new(_paths, new(traits, logger), claims, clock, timeProvider, logger);
        _reader = new(_paths, _registration, logger);
        _events = new(_paths, FolderWatch.ScanInterval, logger);
        _check = new(_paths, _registration, host ?? HostFacts.Gather);
    }

    /// <inheritdoc/>
    public bool IsLocal => HostFacts.ReadMounts()?.Find(RealRoot) is { } mount
        ? !mount.IsShared
        : !_paths.Root.StartsWith(@"\\", StringComparison.Ordinal);

    /// <inheritdoc/>
    /// <remarks>
    /// Network shares do not notify of changes by other machines. If the system's limit for notifications is reached, those of this machine
    /// are found by scans, too.
    /// </remarks>
    public TimeSpan WatchDelay => IsLocal && !_events.IsRefused ? TimeSpan.Zero : FolderWatch.ScanInterval;

    // Where the links on the way to the root lead. Not looked up again, and not waited for long: the share may hang.
    private string RealRoot
    {
        get
        {
            if (_realRoot is null)
            {
                Task.Run(() => _realRoot = RealPath.Resolve(_paths.Root)).Wait(LongestLook);
            }

            return _realRoot ?? _paths.Root;
        }
    }

    /// <summary>The sweep for files of dead instances, for tests to wait for.</summary>
    internal Task Sweep => _registration.Sweep;

    public ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        return FileWork.OnFileAsync("read", _paths.ForKey(key), () => _reader.Read(key), cancellationToken);
    }

    public async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        foreach (var key in keys)
        {
            StorageKey.ThrowIfInvalid(key);
        }

        foreach (var batch in keys.Chunk(BatchSize))
        {
            var entries = await FileWork.OnFolderAsync(
                "read from", _paths.Root, () => _reader.Read(batch, cancellationToken), cancellationToken);
            foreach (var entry in entries)
            {
                yield return entry;
            }
        }
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        StorageKey.ThrowIfTooLong(value);
        var owner = await _registration.GetAsync(cancellationToken);
        await owner.RunAsync(() => ChangeAsync("write", key, claim => TryWrite(key, value, owner, claim), lease, cancellationToken))
            .WaitAsync(cancellationToken);
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalid(key);
        var owner = await _registration.GetAsync(cancellationToken);
        var path = _paths.ForKey(key);
        return await owner.RunAsync(() => ChangeAsync("delete", key, claim => TryDelete(path, owner, claim), lease, cancellationToken))
            .WaitAsync(cancellationToken);
    }

    public async IAsyncEnumerable<string> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        var keys = await FileWork.OnFolderAsync(
            "list",
            _paths.ForPrefix(prefix),
            () => _reader.Scan(prefix, cancellationToken).Select(file => file.Key).ToList(),
            cancellationToken);
        foreach (var key in keys)
        {
            yield return key;
        }
    }

    public IAsyncEnumerable<StorageChange> WatchAsync(string prefix, CancellationToken cancellationToken = default)
    {
        StorageKey.ThrowIfInvalidPrefix(prefix);
        return new FolderWatch(_paths, _reader, prefix, _time, _logger, _events).RunAsync(cancellationToken);
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        StorageLease.ThrowIfInvalid(name, duration);
        var owner = await _registration.GetAsync(cancellationToken);
        var taking = owner.RunAsync(() => _leases.TryAcquireAsync(owner, name, duration, cancellationToken));
        try
        {
            return await taking.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = owner.RunAsync(() => ReleaseAsync(taking));
            throw;
        }
    }

    public ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default) => _check.RunAsync(cancellationToken);

    /// <summary>
    /// Ends this instance's registration, after what canceled callers left under way. Leases that were not released expire.
    /// </summary>
    public void Dispose() => _registration.Dispose();

    // The caller was canceled. Releases the lease if it is acquired after all.
    private static async Task<bool> ReleaseAsync(Task<FileSystemLease?> taking)
    {
        await ((Task)taking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var lease = taking.IsCompletedSuccessfully ? await taking : null;
        if (lease is not null)
        {
            await lease.DisposeAsync();
        }

        return lease is not null;
    }

    // Once started, a change is not abandoned: the value may change, and the lease's section may be left, only after it has finished.
    private async Task<bool> ChangeAsync(
        string action, string key, Func<string?, bool?> change, IStorageLease? lease, CancellationToken cancellationToken)
    {
        using var guard = lease is null ? null : await _leases.GuardAsync(lease, cancellationToken);
        bool? changed = null;
        await FileWork.OnFileAsync(
            action, _paths.ForKey(key), () => (changed = change(guard?.Claim)) is not null, CancellationToken.None);
        if (changed is { } known)
        {
            return known;
        }

        (lease as StorageLease)?.MarkLost();
        throw new LeaseLostException(lease!.Name);
    }

    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="owner">This instance.</param>
    /// <param name="claim">The folder of the claim to the lease; <see langword="null"/> for a write without a lease.</param>
    /// <returns><see langword="null"/> if the lease was lost.</returns>
    private bool? TryWrite(string key, ReadOnlyMemory<byte> value, StorageOwner owner, string? claim)
    {
        var path = _paths.ForKey(key);
        var folder = Path.GetDirectoryName(path)!;
        StoreFolders.ThrowIfLedAway(_paths.Root, folder);
        FilePermissions.CreateFolder(folder);
        try
        {
            if (claim is not null)
            {
                using var draft = FileDraft.TryCreate(claim, owner.Id);
                draft?.Write(value.Span, durable: true);
                return draft?.TryMove(path, durable: true) is true ? true : null;
            }
        }
        catch (OtherFileSystemException)
        {
            // The folder leads to another volume, to which nothing can be moved in one step. The check of the lease has to do.
        }

        AtomicFile.Replace(path, value.Span, StoragePaths.Temporary(folder, owner.Id));
        return true;
    }

    /// <inheritdoc cref="TryWrite"/>
    private bool? TryDelete(string path, StorageOwner owner, string? claim)
    {
        if (!File.Exists(path))
        {
            _reader.ThrowIfNotMissing(path);
            // Distinguishes a folder at this path from a missing file.
            return PathProbe.Exists(path) && Directory.Exists(path) ? throw new UnauthorizedAccessException() : false;
        }

        try
        {
            if (claim is null)
            {
                File.Delete(path);
            }
            else if (StoragePaths.Temporary(claim, owner.Id) is var bin && AtomicRename.TryRun(path, bin))
            {
                AtomicFile.TryDelete(bin);
            }
            else
            {
                return Directory.Exists(claim) ? false : null;
            }
        }
        catch (OtherFileSystemException)
        {
            File.Delete(path);
        }

        DirectorySync.Flush(Path.GetDirectoryName(path)!);
        return true;
    }
}
