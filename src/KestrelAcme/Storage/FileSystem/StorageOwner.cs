using System.Text;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Marks a running instance with a file below the root that it keeps locked while it lives. The operating system releases the lock
/// however the process ends, so if the file can be locked, its owner is dead.
/// </summary>
internal sealed class StorageOwner : IDisposable
{
    private const int MaxLength = 4096;

    // Those who look at a file do not disturb each other. On NFS and SMB, .NET takes no shared lock of what it may write, so there they do.
    private static readonly FileShare[] Looks = [FileShare.ReadWrite | FileShare.Delete, FileShare.None];

    private readonly string _path;
    private readonly FileShare _look;
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FileStream _file;

    // What is under way, and this instance itself until it is disposed of.
    private int _underWay = 1;
    private bool _disposed;

    private StorageOwner(string id, string path, string domain, FileStream file, FileShare? look)
    {
        Id = id;
        Domain = domain;
        LocksWork = look is not null;
        _look = look ?? Looks[0];
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
        return new(id, path, domain, file, FindLook(path, traits));
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

    /// <summary>
    /// Whether the process of another owner is known to have died. An owner without a file is not known to be dead, and the lock of one
    /// with another domain proves nothing.
    /// </summary>
    /// <param name="path">The other owner's file.</param>
    public bool IsKnownDead(string path)
    {
        if (!LocksWork || !File.Exists(path))
        {
            return false;
        }

        try
        {
            using var file = OpenOther(path);
            return IsOf(ReadText(file));
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            return false;
        }
    }

    /// <summary>Returns the text of an owner's file.</summary>
    public static string ReadText(FileStream file) => Encoding.UTF8.GetString(AtomicFile.ReadToEnd(file.SafeFileHandle, MaxLength));

    /// <summary>Whether an owner's file, by its text, is of an instance whose locks this one knows.</summary>
    public bool IsOf(string text) => text.StartsWith(Domain + "\n", StringComparison.Ordinal);

    /// <summary>
    /// Runs work on the store. <see cref="Dispose"/> waits until the work has ended, even if its caller was canceled. Otherwise it could
    /// create the store again after somebody deleted it.
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

    /// <summary>
    /// Opens the file of another owner. Fails with a lock violation while that one lives, and on some file systems while somebody else
    /// looks at it.
    /// </summary>
    public FileStream OpenOther(string path) => Open(path, _look);

    private static FileStream Open(string path, FileShare look) => FilePermissions.Open(path, FileMode.Open, FileAccess.ReadWrite, look);

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

    // Returns how the lock of a living owner is seen; null if it is not.
    private static FileShare? FindLook(string path, FolderTraits traits)
    {
        foreach (var look in Looks)
        {
            var isIgnored = traits.SharedLocksAreIgnored && look != FileShare.None;
            if (traits.LocksAreLocal || (!isIgnored && !CanOpen(path, look)))
            {
                return look;
            }
        }

        return null;
    }

    private static bool CanOpen(string path, FileShare look)
    {
        try
        {
            using var file = Open(path, look);
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
