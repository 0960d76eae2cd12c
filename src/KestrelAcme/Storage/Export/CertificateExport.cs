using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// Writes certificates for other programs in certbot's layout: <c>NAME/{cert,chain,fullchain,privkey}.pem</c>. On Unix <c>NAME</c> is a symbolic link that is
/// switched from one complete version to the next, so that a reader which opens the folder once never sees a certificate with another one's key.
/// </summary>
internal sealed class CertificateExport(string exportPath, TimeProvider time, ILogger<CertificateExport> logger) : IDisposable
{
    private const string VersionsFolder = ".versions";

    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(exportPath));
    private readonly SemaphoreSlim _gate = new(1, 1);

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
            await FileWork.OnFolderAsync("export to", path, () => OperatingSystem.IsWindows() ? Replace(path, files) : Switch(folder, path, files), CancellationToken.None);
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
        if (!await FileWork.OnFolderAsync("look at", path, () => files.All.All(file => IsThere(Path.Join(path, file.Item1), file.Item2)), cancellationToken))
        {
            await WriteAsync(name, chainPem, keyPem, cancellationToken);
        }
    }

    public void Dispose() => _gate.Dispose();

    private static bool IsThere(string path, ReadOnlyMemory<byte> content)
        => File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content.Span);

    // Windows lets no ordinary user make symbolic links: the files are replaced one by one, the key first, so that a pair is mixed for a moment only.
    private static bool Replace(string path, ExportedFiles files)
    {
        FilePermissions.CreateFolder(path);
        foreach (var (file, content) in files.All)
        {
            AtomicFile.Replace(Path.Join(path, file), content, Path.Join(path, $".{Guid.NewGuid():n}.tmp"));
        }

        return true;
    }

    private bool Switch(string folder, string path, ExportedFiles files)
    {
        if (!IsOursOrFree(path))
        {
            throw new StorageUnavailableException(
                $"Could not export to '{path}': something else is there already, and it is left as it is. Move it away, or set ExportPath to another folder.");
        }

        var versions = Path.Join(_root, VersionsFolder, folder);
        FilePermissions.CreateFolder(versions);
        var version = ExportFolder.Publish(versions, files);
        var link = Path.Join(_root, $".{folder}.{Guid.NewGuid():n}");
        File.CreateSymbolicLink(link, Path.Join(VersionsFolder, folder, ExportFolder.Format(version)));
        try
        {
            SymbolicLink.Rename(link, path);
        }
        catch
        {
            AtomicFile.TryDelete(link);
            throw;
        }

        DirectorySync.Flush(_root);
        Prune(versions, version);
        return true;
    }

    private static bool IsOursOrFree(string path)
        => new FileInfo(path).LinkTarget is { } target
            ? target.StartsWith(VersionsFolder + "/", StringComparison.Ordinal)
            : !Directory.Exists(path) && !File.Exists(path);

    // The version before stays for readers that are in the middle of it.
    private void Prune(string versions, long current)
    {
        foreach (var old in ExportFolder.FindOld(versions, current, time.GetUtcNow()))
        {
            try
            {
                Directory.Delete(old, recursive: true);
            }
            catch (Exception exception) when (FileFault.Covers(exception))
            {
                logger.OldExportKept(exception, old);
            }
        }
    }
}
