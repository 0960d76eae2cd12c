using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// Writes certificates for other programs in certbot's layout: <c>NAME/{cert,chain,fullchain,privkey}.pem</c>. The folder stays the same for ever, so that it can be mounted into a container.
/// Where links can be made, all files are switched to the new version in one step; elsewhere they are replaced one by one, the key first, so that a pair is mixed for a moment only.
/// </summary>
/// <param name="exportPath">The folder of all of them.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told what was exported.</param>
/// <param name="access">Who may read the files.</param>
/// <param name="link">Makes a symbolic link: its path, and what it leads to. The system's own where it is not given.</param>
internal sealed class CertificateExport(
    string exportPath, TimeProvider time, ILogger<CertificateExport> logger, ExportAccess? access = null, Action<string, string>? link = null) : IDisposable
{
    private static readonly TimeSpan MaxAgeOfDraft = TimeSpan.FromHours(1);

    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(exportPath));
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ExportAccess _access = access ?? new ExportAccess();
    private readonly Action<string, string> _link = link ?? (static (path, target) => File.CreateSymbolicLink(path, target));

    /// <summary>Writes a certificate and its key.</summary>
    /// <param name="name">The domain name or address that the certificate is kept under; <c>*.</c> becomes <c>_.</c> and <c>:</c> becomes <c>-</c>.</param>
    /// <param name="chainPem">The certificate and its chain, leaf first.</param>
    /// <param name="keyPem">The private key.</param>
    /// <param name="cancellationToken">Cancels the wait; the certificate may have been written.</param>
    /// <exception cref="StorageUnavailableException">The folder cannot be written, or holds something of somebody else's under this name.</exception>
    /// <exception cref="ArgumentException">The chain holds no certificate, or the name cannot name a folder.</exception>
    public async ValueTask WriteAsync(string name, string chainPem, string keyPem, CancellationToken cancellationToken = default)
    {
        var folder = ExportFolder.NameFor(name);
        var files = ExportedFiles.Create(chainPem, keyPem);
        var path = Path.Join(_root, folder);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Not given up half-way: the next call would meet it.
            await FileWork.OnExportAsync("export to", path, () => Write(folder, path, files), CancellationToken.None);
        }
        finally
        {
            _gate.Release();
        }

        logger.CertificateExported(name, path);
    }

    /// <summary>Writes a certificate and its key, unless they are there already.</summary>
    /// <param name="name">As in <see cref="WriteAsync"/>.</param>
    /// <param name="chainPem">The certificate and its chain, leaf first.</param>
    /// <param name="keyPem">The private key.</param>
    /// <param name="cancellationToken">Cancels the wait; the certificate may have been written.</param>
    /// <exception cref="StorageUnavailableException">As in <see cref="WriteAsync"/>.</exception>
    /// <exception cref="ArgumentException">As in <see cref="WriteAsync"/>.</exception>
    public async ValueTask UpdateAsync(string name, string chainPem, string keyPem, CancellationToken cancellationToken = default)
    {
        var path = Path.Join(_root, ExportFolder.NameFor(name));
        var files = ExportedFiles.Create(chainPem, keyPem);
        if (!await FileWork.OnExportAsync("look at", path, () => AreThere(path, files), cancellationToken))
        {
            await WriteAsync(name, chainPem, keyPem, cancellationToken);
        }
    }

    public void Dispose() => _gate.Dispose();

    private bool AreThere(string path, ExportedFiles files)
    {
        if (new FileInfo(path).LinkTarget is not null || !Directory.Exists(path))
        {
            return false;
        }

        var version = ExportFolder.FindCurrent(path);
        return files.All.All(file => IsThere(file.Name, ExportFolder.ContentOf(path, version, file.Name), file.Content));
    }

    private bool IsThere(string name, string path, byte[] content)
    {
        try
        {
            using var file = RegularFile.OpenIfExists(path);
            if (file is null || RandomAccess.GetLength(file) != content.Length || !AtomicFile.ReadToEnd(file, content.Length).AsSpan().SequenceEqual(content))
            {
                return false;
            }

            if (FileNode.Of(file) is not { } node)
            {
                return true;
            }

            var (mode, group) = _access.For(name, node);
            return (node.Mode == mode || _access is { FileMode: null, Group: null }) && (group is null || node.Group == group);
        }
        catch (Exception exception) when (exception is NotRegularFileException or NotSupportedException or EndOfStreamException)
        {
            // Somebody put something else there, or is writing to it.
            return false;
        }
    }

    private bool Write(string folder, string path, ExportedFiles files)
    {
        TakeOverFormerLayout(folder, path);
        if (!ExportFolder.IsOursOrFree(path))
        {
            throw new StorageUnavailableException(
                $"Could not export to '{path}': something else is there already, and it is left as it is. Move it away, or set ExportPath to another folder.");
        }

        FilePermissions.CreateFolder(_root);
        if (Directory.Exists(path))
        {
            Fill(path, isNew: false, files);
            return true;
        }

        // Nobody sees a folder that is not whole yet.
        var draft = Path.Join(_root, $".{folder}.{Guid.NewGuid():n}");
        try
        {
            Fill(draft, isNew: true, files);
            Directory.Move(draft, path);
            DirectorySync.Flush(_root);
        }
        catch (IOException) when (Directory.Exists(path))
        {
            // Another instance that exports here was faster.
            Fill(path, isNew: false, files);
        }
        finally
        {
            Remove(draft);
        }

        foreach (var left in Directory.EnumerateDirectories(_root, $".{folder}.*").Where(left => Directory.GetLastWriteTimeUtc(left) < (time.GetUtcNow() - MaxAgeOfDraft).UtcDateTime))
        {
            Remove(left);
        }

        return true;
    }

    private void Fill(string path, bool isNew, ExportedFiles files)
    {
        var current = ExportFolder.FindCurrent(path);
        var plans = files.All
            .Select(file => new PlannedFile(file.Name, file.Content, _access.For(file.Name, FileNode.Of(ExportFolder.ContentOf(path, current, file.Name)))))
            .ToList();
        PrepareFolder(path, isNew, plans);
        if (CanLink(path))
        {
            Switch(path, plans);
        }
        else
        {
            Replace(path, plans);
        }
    }

    // Where it was there, whoever holds it open goes on holding it.
    private void PrepareFolder(string path, bool isNew, List<PlannedFile> files)
    {
        FilePermissions.CreateFolder(path);
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        if (new FileInfo(Path.Join(path, ExportFolder.Current)).LinkTarget is null)
        {
            FilePermissions.CreateFolder(Path.Join(path, ExportFolder.Mark));
        }

        if (isNew || _access is not { FileMode: null, Group: null })
        {
            var (mode, group) = files[0].Access;
            _access.Apply(path, ExportAccess.FolderFor(mode), group);
            if (_access is not { FileMode: null, Group: null } && FileNode.Of(_root) is { } root && root.Owner == FileNode.CurrentUser)
            {
                _access.Apply(_root, root.Mode | ExportAccess.FolderFor(mode), group);
            }
        }
    }

    private bool CanLink(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            // No ordinary user may there.
            return false;
        }

        var probe = ExportFolder.NewDraft(path);
        try
        {
            _link(probe, ExportFolder.Current);
            File.Delete(probe);
            return true;
        }
        catch (Exception exception) when (FileFault.Covers(exception) || exception is PlatformNotSupportedException)
        {
            return false;
        }
    }

    private void Switch(string path, List<PlannedFile> files)
    {
        var version = ExportFolder.Number(path, WriteDraft(path, files));
        PlaceLink(path, ExportFolder.Current, ExportFolder.Format(version));
        foreach (var file in files)
        {
            if (new FileInfo(Path.Join(path, file.Name)).LinkTarget != ExportFolder.LinkTo(file.Name))
            {
                PlaceLink(path, file.Name, ExportFolder.LinkTo(file.Name));
            }
        }

        DirectorySync.Flush(path);
        Remove(Path.Join(path, ExportFolder.Mark));

        // The version before stays for readers that are in the middle of it.
        foreach (var old in ExportFolder.FindOld(path, version, keep: 1, time.GetUtcNow() - MaxAgeOfDraft))
        {
            Remove(old);
        }
    }

    private string WriteDraft(string path, List<PlannedFile> files)
    {
        var draft = ExportFolder.NewDraft(path);
        try
        {
            FilePermissions.CreateFolder(draft);
            foreach (var file in files)
            {
                WriteNew(Path.Join(draft, file.Name), file);
            }

            // As open as the folder that it is in: it is no way around that one.
            if (FileNode.Of(path) is { } node)
            {
                _access.Apply(draft, node.Mode & ExportAccess.FolderFor(UnixFileMode.GroupRead | UnixFileMode.OtherRead), node.Group);
            }
            else
            {
                _access.Apply(draft, ExportAccess.FolderFor(files[0].Access.Mode), files[0].Access.Group);
            }

            DirectorySync.Flush(draft);
            return draft;
        }
        catch
        {
            Remove(draft);
            throw;
        }
    }

    private void Replace(string path, List<PlannedFile> files)
    {
        foreach (var file in files)
        {
            var draft = Path.Join(path, $".{Guid.NewGuid():n}.tmp");
            try
            {
                WriteNew(draft, file);
                File.Move(draft, Path.Join(path, file.Name), overwrite: true);
            }
            catch
            {
                AtomicFile.TryDelete(draft);
                throw;
            }
        }

        DirectorySync.Flush(path);

        // What was written while links could be made, and half-written files of a process that died.
        foreach (var old in ExportFolder.FindOld(path, long.MaxValue, keep: 0, time.GetUtcNow() - MaxAgeOfDraft))
        {
            Remove(old);
        }

        foreach (var left in Directory.EnumerateFiles(path, ".*.tmp").Where(file => time.GetUtcNow() - File.GetLastWriteTimeUtc(file) > MaxAgeOfDraft))
        {
            AtomicFile.TryDelete(left);
        }
    }

    private void WriteNew(string path, PlannedFile planned)
    {
        using (var file = FilePermissions.Open(path, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            file.Write(planned.Content);
            file.Flush(flushToDisk: true);
        }

        _access.Apply(path, planned.Access.Mode, planned.Access.Group);
    }

    private void PlaceLink(string path, string name, string target)
    {
        var draft = ExportFolder.NewDraft(path);
        _link(draft, target);
        try
        {
            SymbolicLink.Rename(draft, Path.Join(path, name));
        }
        catch
        {
            AtomicFile.TryDelete(draft);
            throw;
        }
    }

    // Earlier releases switched a link in the place of the folder, which a container that mounted it never noticed: the version that it mounted becomes the folder.
    private void TakeOverFormerLayout(string folder, string path)
    {
        var versions = Path.Join(_root, ExportFolder.FormerVersions);
        if (OperatingSystem.IsWindows() || new FileInfo(versions).LinkTarget is not null || !Directory.Exists(versions))
        {
            return;
        }

        if (new FileInfo(path).LinkTarget is { } target && Path.GetDirectoryName(target) == Path.Join(ExportFolder.FormerVersions, folder))
        {
            var held = Path.Join(_root, target);
            if (Directory.Exists(held))
            {
                FilePermissions.CreateFolder(Path.Join(held, ExportFolder.Mark));
                File.Delete(path);
                Directory.Move(held, path);
            }
            else
            {
                File.Delete(path);
            }
        }

        // With them go the versions, each with its private key, of tries that failed where no link could be made.
        Remove(Path.Join(versions, folder));
        if (!Directory.EnumerateFileSystemEntries(versions).Any())
        {
            Remove(versions);
        }
    }

    private void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            logger.OldExportKept(folder, exception.Message);
        }
    }

    private sealed record PlannedFile(string Name, byte[] Content, (UnixFileMode Mode, uint? Group) Access);
}
