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
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(exportPath));
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ExportAccess _access = access ?? new ExportAccess();
    private readonly ExportWriter _writer = new(access ?? new ExportAccess(), link ?? (static (path, target) => File.CreateSymbolicLink(path, target)), time, logger);

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
            _writer.Fill(path, isNew: false, files);
            return true;
        }

        // Nobody sees a folder that is not whole yet.
        var draft = Path.Join(_root, $".{folder}.{Guid.NewGuid():n}");
        try
        {
            _writer.Fill(draft, isNew: true, files);
            Directory.Move(draft, path);
            DirectorySync.Flush(_root);
        }
        catch (IOException) when (Directory.Exists(path))
        {
            // Another instance that exports here was faster.
            _writer.Fill(path, isNew: false, files);
        }
        finally
        {
            _writer.Remove(draft);
        }

        foreach (var left in Directory.EnumerateDirectories(_root, $".{folder}.*").Where(left => Directory.GetLastWriteTimeUtc(left) < (time.GetUtcNow() - ExportWriter.MaxAgeOfDraft).UtcDateTime))
        {
            _writer.Remove(left);
        }

        return true;
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
        _writer.Remove(Path.Join(versions, folder));
        if (!Directory.EnumerateFileSystemEntries(versions).Any())
        {
            _writer.Remove(versions);
        }
    }
}
