using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// Exports certificates for other programs in certbot's layout: <c>NAME/{cert,chain,fullchain,privkey}.pem</c>. The folder itself is never
/// replaced, so that it can be mounted into a container. If symbolic links are supported, all files are switched to the new version in one
/// step. Otherwise they are replaced one by one, the key first, so that key and certificate mismatch only for a moment.
/// </summary>
/// <param name="exportPath">The root folder of all exported certificates.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The logger.</param>
/// <param name="access">Who may read the files.</param>
/// <param name="link">Creates a symbolic link from a path and a target. By default, the operating system's.</param>
/// <param name="pfxPassword">The password of a PKCS #12 file beside the others; <see langword="null"/> if there is none.</param>
internal sealed class CertificateExport(
    string exportPath,
    TimeProvider time,
    ILogger<CertificateExport> logger,
    ExportAccess? access = null,
    Action<string, string>? link = null,
    string? pfxPassword = null) : IDisposable
{
    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(exportPath));
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly ExportAccess _access = access ?? new ExportAccess();
    private readonly ExportWriter _writer = new(
        access ?? new ExportAccess(), link ?? (static (path, target) => File.CreateSymbolicLink(path, target)), time, logger);

    /// <summary>Writes a certificate and its key.</summary>
    /// <param name="name">
    /// The domain name or address, which names the folder; <c>*.</c> becomes <c>_.</c> and <c>:</c> becomes <c>-</c>.
    /// </param>
    /// <param name="chainPem">The certificate and its chain, leaf first.</param>
    /// <param name="keyPem">The private key.</param>
    /// <param name="cancellationToken">Cancels the wait; the certificate may still be written.</param>
    /// <exception cref="StorageUnavailableException">
    /// The folder is not writable, or contains files that KestrelAcme did not write.
    /// </exception>
    /// <exception cref="ArgumentException">The chain contains no certificate, or the name is not valid as a folder name.</exception>
    public async ValueTask WriteAsync(string name, string chainPem, string keyPem, CancellationToken cancellationToken = default)
    {
        var folder = ExportFolder.NameFor(name);
        var files = ExportedFiles.Create(chainPem, keyPem, pfxPassword);
        var path = Path.Join(_root, folder);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            // Not abandoned half-way, because the next call would run at the same time.
            await FileWork.OnExportAsync("export to", path, () => Write(folder, path, files), CancellationToken.None);
        }
        finally
        {
            _gate.Release();
        }

        logger.CertificateExported(name, path);
    }

    /// <summary>Writes a certificate and its key, unless the folder already contains them.</summary>
    /// <param name="name">See <see cref="WriteAsync"/>.</param>
    /// <param name="chainPem">The certificate and its chain, leaf first.</param>
    /// <param name="keyPem">The private key.</param>
    /// <param name="cancellationToken">Cancels the wait; the certificate may still be written.</param>
    /// <exception cref="StorageUnavailableException">See <see cref="WriteAsync"/>.</exception>
    /// <exception cref="ArgumentException">See <see cref="WriteAsync"/>.</exception>
    /// <returns>The folder; <see langword="null"/> if nothing had to be written.</returns>
    public async ValueTask<string?> UpdateAsync(string name, string chainPem, string keyPem, CancellationToken cancellationToken = default)
    {
        var path = Path.Join(_root, ExportFolder.NameFor(name));
        var files = ExportedFiles.Create(chainPem, keyPem, pfxPassword);
        if (await FileWork.OnExportAsync("check", path, () => AreThere(path, files), cancellationToken))
        {
            return null;
        }

        await WriteAsync(name, chainPem, keyPem, cancellationToken);
        return path;
    }

    public void Dispose() => _gate.Dispose();

    private bool AreThere(string path, ExportedFiles files)
    {
        if (new FileInfo(path).LinkTarget is not null || !Directory.Exists(path))
        {
            return false;
        }

        var version = ExportFolder.FindCurrent(path);
        return files.All.All(file => IsThere(files, file.Name, ExportFolder.ContentOf(path, version, file.Name), file.Content));
    }

    private bool IsThere(ExportedFiles files, string name, string path, byte[] content)
    {
        try
        {
            using var file = RegularFile.OpenIfExists(path);
            if (file is null || !(name == ExportedFiles.Pfx ? IsPfx(files, file, content.Length) : IsSame(file, content)))
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
            // Another program put something else there, or is writing to it.
            return false;
        }
    }

    private static bool IsSame(SafeFileHandle file, byte[] content)
        => RandomAccess.GetLength(file) == content.Length
            && AtomicFile.ReadToEnd(file, content.Length).AsSpan().SequenceEqual(content);

    private bool IsPfx(ExportedFiles files, SafeFileHandle file, int length)
        => RandomAccess.GetLength(file) is var there && there <= 2 * length
            && files.IsPfx(AtomicFile.ReadToEnd(file, (int)there), pfxPassword!);

    private bool Write(string folder, string path, ExportedFiles files)
    {
        TakeOverFormerLayout(folder, path);
        if (!ExportFolder.IsOursOrFree(path))
        {
            throw new StorageUnavailableException(
                $"Could not export to '{path}': it exists already and was not created by KestrelAcme, so it is not changed. "
                + "Move it away, or set ExportPath to another folder.");
        }

        FilePermissions.CreateFolder(_root);
        if (Directory.Exists(path))
        {
            _writer.Fill(path, isNew: false, files);
        }
        else
        {
            Create(folder, path, files);
        }

        RemoveDrafts(folder);
        return true;
    }

    // The folder becomes visible only when it is complete.
    private void Create(string folder, string path, ExportedFiles files)
    {
        var draft = Path.Join(_root, $".{folder}.{Guid.NewGuid():n}");
        try
        {
            _writer.Fill(draft, isNew: true, files);
            Directory.Move(draft, path);
            DirectorySync.Flush(_root);
        }
        catch (IOException) when (Directory.Exists(path))
        {
            // Another instance that exports to the same path was faster.
            _writer.Fill(path, isNew: false, files);
        }
        finally
        {
            _writer.Remove(draft);
        }
    }

    // A process that was killed left them, with private keys. Other hidden folders are not KestrelAcme's.
    private void RemoveDrafts(string folder)
    {
        var oldest = (time.GetUtcNow() - ExportWriter.MaxAgeOfDraft).UtcDateTime;
        var start = $".{folder}.";
        foreach (var left in Directory.EnumerateDirectories(_root, start + "*"))
        {
            if (Guid.TryParseExact(Path.GetFileName(left.AsSpan())[start.Length..], "n", out _)
                && Directory.GetLastWriteTimeUtc(left) < oldest)
            {
                _writer.Remove(left);
            }
        }
    }

    // Earlier releases switched a link in place of the folder, which a container with a mount of it did not notice. The version that the
    // container has mounted becomes the folder.
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

        // Also removes the versions of failed attempts, which contain private keys.
        _writer.Remove(Path.Join(versions, folder));
        if (!Directory.EnumerateFileSystemEntries(versions).Any())
        {
            _writer.Remove(versions);
        }
    }
}
