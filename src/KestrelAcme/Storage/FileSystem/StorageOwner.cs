using System.Text;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// This instance's mark below the root: a file that it keeps locked for as long as it lives. The system frees the lock however the process ends,
/// so that whoever can lock the file knows that its owner is dead.
/// </summary>
internal sealed class StorageOwner : IDisposable
{
    private readonly string _path;
    private readonly Lock _gate = new();
    private FileStream _file;
    private bool _disposed;

    private StorageOwner(string id, string path, FileStream file, bool locksWork)
    {
        Id = id;
        LocksWork = locksWork;
        _path = path;
        _file = file;
    }

    public string Id { get; }

    /// <summary>Whether the file system honours locks at all.</summary>
    public bool LocksWork { get; }

    /// <summary>Whether the mark is still where it was put. When not, another volume is mounted there now, or somebody emptied the store.</summary>
    public bool IsInPlace => File.Exists(_path);

    public static StorageOwner Register(StoragePaths paths)
    {
        var id = Guid.NewGuid().ToString("n");
        var path = paths.Owner(id);
        var file = Create(path);
        return new(id, path, file, locksWork: !CanLock(path));
    }

    /// <summary>Puts the mark back where it was deleted: leases that are held name it.</summary>
    public void PutBack()
    {
        lock (_gate)
        {
            if (_disposed || IsInPlace)
            {
                return;
            }

            var file = Create(_path);
            _file.Dispose();
            _file = file;
        }
    }

    /// <summary>Whether the owner's process is known to have died. An owner whose file is gone is not known to be dead.</summary>
    public static bool IsKnownDead(string path) => File.Exists(path) && CanLock(path);

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Delete();
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

        // Deleted while locked, so that nobody takes an orderly end for a death.
        AtomicFile.TryDelete(_path);
        _file.Dispose();
    }

    /// <summary>Opens an owner's file beside others who look at it; fails with a lock violation while its owner lives.</summary>
    public static FileStream OpenBesideOthers(string path)
        => FilePermissions.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    private static FileStream Create(string path)
    {
        FilePermissions.CreateFolder(Path.GetDirectoryName(path)!);
        var file = FilePermissions.Open(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);

        // Says to a later sweep whose locks the file can be judged by.
        file.Write(Encoding.UTF8.GetBytes(MachineIdentity.Current + "\n"));
        return file;
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
