using System.Text;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Marks a running instance with a file below the root that it keeps locked while it lives. The operating system releases the lock
/// however the process ends, so if the file can be locked, its owner is dead.
/// </summary>
internal sealed class StorageOwner : IDisposable
{
    private const int MaxLength = 4096;

    private readonly string _path;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileStream _file;

    // What is under way, and this instance itself until it is disposed of.
    private int _underWay = 1;
    private bool _disposed;

    private StorageOwner(string id, string path, string domain, FileStream file, bool locksWork)
    {
        Id = id;
        Domain = domain;
        LocksWork = locksWork;
        _path = path;
        _file = file;
    }

    public string Id { get; }

    /// <summary>
    /// Where the lock of the file is known: on this running system, and there by those who use the same mount. Two mounts of one share have
    /// different device numbers, and may keep locks apart.
    /// </summary>
    public string Domain { get; }

    /// <summary>Whether the file system supports locks.</summary>
    public bool LocksWork { get; }

    /// <summary>
    /// Whether the file is still there. If it is not, another volume is mounted now, or another program emptied the store.
    /// </summary>
    public bool IsInPlace => File.Exists(_path);

    public static StorageOwner Register(StoragePaths paths, FolderTraits traits)
    {
        var id = Guid.NewGuid().ToString("n");
        var path = paths.Owner(id);
        FilePermissions.CreateFolder(paths.Owners);
        var device = traits.LocksAreLocal ? id : $"{FileNode.Of(paths.Owners)?.Device:x}";
        var domain = $"{MachineIdentity.Current}:{device}";
        var share = traits.LocksAreLocal ? FileShare.ReadWrite : FileShare.None;
        var file = Create(path, domain, share);
        return new(id, path, domain, file, locksWork: traits.LocksAreLocal || !CanLock(path));
    }

    /// <summary>Restores the file after it was deleted, because leases that are held refer to it.</summary>
    public void Restore()
    {
        lock (_gate)
        {
            if (_disposed || IsInPlace)
            {
                return;
            }

            var file = Create(_path, Domain, FileShare.None);
            _file.Dispose();
            _file = file;
        }
    }

    /// <summary>Whether the owner's process is known to have died. An owner without a file is not known to be dead.</summary>
    /// <param name="path">The owner's file.</param>
    /// <param name="domain">The domain of the caller. The lock of an owner with another one proves nothing.</param>
    public static bool IsKnownDead(string path, string domain)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var file = OpenBesideOthers(path);
            return IsOf(domain, ReadText(file));
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            return false;
        }
    }

    /// <summary>Returns the text of an owner's file.</summary>
    public static string ReadText(FileStream file) => Encoding.UTF8.GetString(AtomicFile.ReadToEnd(file.SafeFileHandle, MaxLength));

    /// <summary>Whether an owner's file, by its text, is of an instance whose locks this one knows.</summary>
    public static bool IsOf(string domain, string text) => text.StartsWith(domain + "\n", StringComparison.Ordinal);

    /// <summary>
    /// Works on the store. <see cref="Dispose"/> waits for it, even if the caller does not: whoever disposed of the store may delete it,
    /// and it must not come into being again.
    /// </summary>
    /// <exception cref="ObjectDisposedException">This instance has ended.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> work)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _underWay++;
        }

        try
        {
            return await work();
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Ends this instance, after the work that is under way.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        Leave();
        _ended.Task.Wait();
        Delete();
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_underWay == 0)
            {
                _ended.TrySetResult();
            }
        }
    }

    private void Delete()
    {
        if (OperatingSystem.IsWindows())
        {
            _file.Dispose();
            AtomicFile.TryDelete(_path);
            return;
        }

        // Deleted while locked, so that no one mistakes an orderly shutdown for a crash.
        AtomicFile.TryDelete(_path);
        _file.Dispose();
    }

    /// <summary>Opens an owner's file, which others may open at the same time. Fails with a lock violation while its owner lives.</summary>
    public static FileStream OpenBesideOthers(string path)
        => FilePermissions.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private static FileStream Create(string path, string domain, FileShare share)
    {
        FilePermissions.CreateFolder(Path.GetDirectoryName(path)!);
        var file = FilePermissions.Open(path, FileMode.CreateNew, FileAccess.ReadWrite, share);

        try
        {
            // Tells others whether the file's lock means anything to them.
            file.Write(Encoding.UTF8.GetBytes(domain + "\n"));
            return file;
        }
        catch
        {
            // The disk is full. The next attempt creates another file.
            AtomicFile.TryDelete(path);
            file.Dispose();
            throw;
        }
    }

    private static bool CanLock(string path)
    {
        try
        {
            using var file = OpenBesideOthers(path);
            return true;
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            return false;
        }
    }
}

/// <summary>
/// Identifies the running system whose kernel holds the file locks. Containers on one machine share it; another machine, or the same
/// machine after a reboot, has another.
/// </summary>
internal static class MachineIdentity
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";

    public static string Current { get; } = Find();

    private static string Find()
    {
        try
        {
            if (OperatingSystem.IsLinux() && File.Exists(BootIdPath))
            {
                return File.ReadAllText(BootIdPath).Trim();
            }
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // A sandbox hides the file. With a random name, others wait until the lease expires, which is safe.
            return Guid.NewGuid().ToString();
        }

        return Environment.MachineName;
    }
}
