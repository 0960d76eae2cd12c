namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// A file that is being written, and appears under its final name in one step. If it is drafted in the folder of a claim, it never appears
/// after another holder has got the lease, because that folder is gone by then.
/// </summary>
internal sealed class FileDraft : IDisposable
{
    private readonly FileStream _file;
    private bool _moved;

    private FileDraft(string path, FileStream file) => (Path, _file) = (path, file);

    public string Path { get; }

    /// <summary>Creates an empty file.</summary>
    /// <returns><see langword="null"/> if the folder does not exist.</returns>
    public static FileDraft? TryCreate(string folder, string ownerId)
    {
        var path = StoragePaths.Temporary(folder, ownerId);
        try
        {
            return new(path, FilePermissions.Open(path, FileMode.CreateNew, FileAccess.Write, FileShare.None));
        }
        catch (Exception exception) when (FileFault.IsGone(exception, folder))
        {
            return null;
        }
    }

    /// <summary>Writes the content and closes the file.</summary>
    public void Write(ReadOnlySpan<byte> content, bool durable)
    {
        _file.Write(content);
        _file.Flush(flushToDisk: durable);
        _file.Dispose();
    }

    /// <summary>Moves the file, once it is written, to its final name.</summary>
    /// <returns><see langword="false"/> if the folder of the draft was removed in the meantime.</returns>
    /// <exception cref="OtherFileSystemException">The name is on another file system.</exception>
    public bool TryMove(string path, bool durable)
    {
        if (!AtomicRename.TryRun(Path, path))
        {
            return false;
        }

        _moved = true;
        if (durable)
        {
            DirectorySync.Flush(System.IO.Path.GetDirectoryName(path)!);
        }

        return true;
    }

    public void Dispose()
    {
        _file.Dispose();
        if (!_moved)
        {
            AtomicFile.TryDelete(Path);
        }
    }
}
