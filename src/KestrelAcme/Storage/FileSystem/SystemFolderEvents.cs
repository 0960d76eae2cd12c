using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// The operating system's change notifications for one store, shared by all watches of its parts: Linux allows a user 128 inotify instances
/// in total, and a machine may run many applications.
/// </summary>
/// <remarks>Safe for concurrent use. The system's watcher exists only while there are listeners.</remarks>
internal sealed class SystemFolderEvents(StoragePaths paths, TimeSpan scanInterval, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly List<Listener> _listeners = [];
    private FileSystemWatcher? _watcher;
    private volatile bool _refused;

    /// <summary>Whether somebody listens, and the system does not notify.</summary>
    public bool IsRefused => _refused;

    /// <summary>Listens until disposed. If the system does not support notifications, the listener is never called.</summary>
    public IDisposable Listen(Action<string> changed, Action lost)
    {
        var listener = new Listener(this, changed, lost);
        lock (_lock)
        {
            _listeners.Add(listener);
            if (_watcher is null && !_refused)
            {
                _watcher = TryWatch();
                _refused = _watcher is null;
            }
        }

        return listener;
    }

    private FileSystemWatcher? TryWatch()
    {
        FileSystemWatcher? watcher = null;
        try
        {
            FilePermissions.CreateFolder(paths.Root);
            watcher = new FileSystemWatcher(paths.Root)
            {
                IncludeSubdirectories = true,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite,
            };
            watcher.Created += (_, e) => Tell(e.FullPath);
            watcher.Changed += (_, e) => Tell(e.FullPath);
            watcher.Deleted += (_, e) => Tell(e.FullPath);
            watcher.Renamed += (_, e) =>
            {
                Tell(e.OldFullPath);
                Tell(e.FullPath);
            };
            watcher.Error += (_, _) => Array.ForEach(Copy(), l => l.Lost());
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception exception) when (FileFault.Covers(exception) || exception is ArgumentException or PlatformNotSupportedException)
        {
            watcher?.Dispose();
            logger.WatchingByScan(paths.Root, exception.Message, scanInterval.TotalSeconds);
            return null;
        }
    }

    private void Tell(string path) => Array.ForEach(Copy(), l => l.Changed(path));

    private Listener[] Copy()
    {
        lock (_lock)
        {
            return [.. _listeners];
        }
    }

    private void Remove(Listener listener)
    {
        FileSystemWatcher? idle = null;
        lock (_lock)
        {
            _listeners.Remove(listener);
            if (_listeners.Count == 0)
            {
                (idle, _watcher, _refused) = (_watcher, null, false);
            }
        }

        idle?.Dispose();
    }

    private sealed class Listener(SystemFolderEvents events, Action<string> changed, Action lost) : IDisposable
    {
        public void Changed(string path) => changed(path);

        public void Lost() => lost();

        public void Dispose() => events.Remove(this);
    }
}
