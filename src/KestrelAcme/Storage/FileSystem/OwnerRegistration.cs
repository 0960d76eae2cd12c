using System.Runtime.CompilerServices;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.Durability;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Registers this instance at its first write, and detects when the store is no longer there.</summary>
internal sealed class OwnerRegistration(
    StoragePaths paths, FolderTraits traits, LeaseClaims claims, ServerClock clock, ILogger logger) : IDisposable
{
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _stopping = new();
    private volatile StorageOwner? _owner;
    private MountEntry? _mount;
    private bool _disposed;

    /// <summary>The last sweep for files of dead instances, which runs in the background.</summary>
    public Task Sweep { get; private set; } = Task.CompletedTask;

    /// <exception cref="StorageUnavailableException">The root is not writable, or its volume is gone.</exception>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public async ValueTask<StorageOwner> GetAsync(CancellationToken cancellationToken)
    {
        // Not in the caller's thread, in which even a timeout would wait for a share that hangs.
        if (_owner is { } owner && await Task.Run(() => owner.IsInPlace, cancellationToken).WaitAsync(cancellationToken))
        {
            return owner;
        }

        return await RegisterAsync(cancellationToken).WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Throws if the store itself is gone, in which case a file that was not found is
    /// not known to be missing. An unmounted volume leaves an empty folder behind.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store is gone.</exception>
    public void ThrowIfGone()
    {
        if (_owner is null or { IsInPlace: true })
        {
            return;
        }

        if (!Directory.Exists(paths.Root) || FindMount() != _mount)
        {
            throw new StorageUnavailableException(
                $"The store at '{paths.Root}' is no longer there: its volume was unmounted or its folder deleted. "
                + "Mount it again; until then KestrelAcme treats nothing as missing.");
        }
    }

    /// <summary>
    /// Ends the registration, after what is under way. A share that hangs does not hold up the end of the host for long.
    /// </summary>
    public void Dispose()
    {
        _stopping.CancelQuietly();
        var ending = Task.Factory.StartNew(End, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        ending.Wait(LongestEnd);
    }

    private void End()
    {
        _gate.Wait();
        try
        {
            _disposed = true;
            Task.WhenAny(Sweep).Wait();
            _owner?.Dispose();
            _owner = null;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<StorageOwner> RegisterAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            // Not abandoned half-way, because it would continue outside the gate.
            return await FileWork.OnFolderAsync("write to", paths.Root, Register, CancellationToken.None);
        }
        finally
        {
            _gate.Release();
        }
    }

    private StorageOwner Register()
    {
        if (_owner is { } old)
        {
            if (old.IsInPlace)
            {
                return old;
            }

            if (FindMount() != _mount)
            {
                ThrowIfGone();
            }

            // If only the owner's file is gone, this instance still holds its leases, and another owner could not release them.
            var emptied = !Directory.Exists(paths.Leases);
            old.Restore();
            if (emptied)
            {
                logger.StoreWasEmptied(paths.Root);
            }
            else
            {
                logger.OwnerRestored(paths.Root);
            }

            _mount = FindMount();
            return old;
        }

        FilePermissions.CreateFolder(paths.Root);
        StoreFolders.Secure(paths.Root, logger);
        var owner = StorageOwner.Register(paths, traits);
        if (!owner.LocksWork)
        {
            logger.FileLocksDoNotWork(paths.Root);
        }

        _mount = FindMount();
        _owner = owner;
        Sweep = Task.Run(() => new StorageSweep(paths, claims, clock, logger).Run(owner, _stopping.Token), _stopping.Token);
        return owner;
    }

    private MountEntry? FindMount() => HostFacts.ReadMounts()?.Find(RealPath.Resolve(paths.Root));
}
