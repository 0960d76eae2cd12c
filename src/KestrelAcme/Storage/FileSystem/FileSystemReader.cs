using System.Collections.Concurrent;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Reads values, and warns about files that other users can read.</summary>
internal sealed class FileSystemReader(StoragePaths paths, OwnerRegistration registration, ILogger logger)
{
    private const int MaxWarnings = 16;

    private readonly ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _passedOver = new(StringComparer.Ordinal);

    public ReadOnlyMemory<byte>? Read(string key) => AtomicFile.ReadAgain(() => ReadOnce(key));

    private ReadOnlyMemory<byte>? ReadOnce(string key)
    {
        var path = paths.ForKey(key);
        using var file = AtomicFile.OpenIfExists(path);
        if (file is null)
        {
            ThrowIfNotMissing(path);
            return null;
        }

        Warn(file, path);
        return AtomicFile.ReadToEnd(file, StorageKey.MaxValueLength);
    }

    public List<StorageEntry> Read(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        var entries = new List<StorageEntry>(keys.Count);
        foreach (var key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (Read(key) is { } value)
                {
                    entries.Add(new(key, value));
                }
            }
            catch (Exception exception) when (FileFault.Covers(exception) && !FileFault.IsLocked(exception))
            {
                throw FileFault.Explain("read", paths.ForKey(key), isFile: true, exception);
            }
        }

        return entries;
    }

    /// <summary>Finds the values below a prefix; none if its folder does not exist.</summary>
    public IEnumerable<ScannedFile> Scan(string prefix, CancellationToken cancellationToken)
    {
        var folder = paths.ForPrefix(prefix);
        if (Directory.Exists(folder))
        {
            return FolderScan.Run(paths, prefix, PassOver, cancellationToken);
        }

        ThrowIfNotMissing(folder);
        return PathProbe.Exists(folder) ? throw new DirectoryNotFoundException() : [];
    }

    /// <summary>
    /// Throws if a file or folder that was not found is not known to be missing. The system also reports "not found" if an ancestor is a
    /// file, or a link that leads nowhere, such as to a volume that is not mounted.
    /// </summary>
    public void ThrowIfNotMissing(string path)
    {
        registration.ThrowIfGone();
        var folder = Path.GetDirectoryName(path);
        for (; folder?.Length >= paths.Root.Length && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            if (PathProbe.Exists(folder))
            {
                throw new DirectoryNotFoundException();
            }
        }
    }

    // Logs each folder once, and only the first few.
    private void PassOver(string folder, Exception exception)
    {
        if (_passedOver.Count < MaxWarnings && _passedOver.TryAdd(folder, true))
        {
            logger.FolderPassedOver(folder, exception is UnauthorizedAccessException ? "permission denied" : exception.Message);
        }
    }

    private void Warn(SafeFileHandle file, string path)
    {
        if (FilePermissions.DescribeIfReadableByOthers(file) is not { } mode
            || _warned.Count > MaxWarnings || !_warned.TryAdd(path, true))
        {
            return;
        }

        if (_warned.Count <= MaxWarnings)
        {
            logger.FileReadableByOthers(path, mode);
        }
        else
        {
            logger.MoreFilesReadableByOthers(paths.Root);
        }
    }
}

/// <summary>Looks whether anything is at a path.</summary>
internal static class PathProbe
{
    /// <summary>
    /// Whether there is a file, a folder or a link. <see cref="File.Exists"/> also says no if it could not find out.
    /// </summary>
    /// <exception cref="IOException">It is not known, because the disk or the share failed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not known, because access is denied.</exception>
    public static bool Exists(string path)
    {
        try
        {
            File.GetAttributes(path);
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }
}
