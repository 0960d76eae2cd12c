using System.Runtime.InteropServices;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// Writes the files of one certificate to its folder: all at once if symbolic links are supported, otherwise one by one.
/// </summary>
internal sealed class ExportWriter(ExportAccess access, Action<string, string> link, TimeProvider time, ILogger logger)
{
    /// <summary>The age above which a draft counts as abandoned.</summary>
    public static readonly TimeSpan MaxAgeOfDraft = TimeSpan.FromHours(1);

    /// <summary>Writes a version to a folder. Creates the folder if necessary.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="isNew">Whether the folder's permissions have not been set yet.</param>
    /// <param name="files">The files.</param>
    public void Fill(string path, bool isNew, ExportedFiles files)
    {
        var current = ExportFolder.FindCurrent(path);
        var plans = files.All
            .Select(file =>
            {
                var before = FileNode.Of(ExportFolder.ContentOf(path, current, file.Name));
                return new PlannedFile(file.Name, file.Content, access.For(file.Name, before));
            })
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

    // An existing folder is kept, so that programs that hold it open see the new files.
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

        var isConfigured = access is not { FileMode: null, Group: null };
        if (isNew || isConfigured)
        {
            var (mode, group) = files[0].Access;
            access.Apply(path, ExportAccess.FolderFor(mode), group);
            var parent = Path.GetDirectoryName(path)!;
            if (isConfigured && FileNode.Of(parent) is { } root && root.Owner == FileNode.CurrentUser)
            {
                access.Apply(parent, root.Mode | ExportAccess.FolderFor(mode), group);
            }
        }
    }

    private bool CanLink(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            // On Windows, ordinary users may not create links.
            return false;
        }

        var probe = ExportFolder.NewDraft(path);
        try
        {
            link(probe, ExportFolder.Current);
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
        PlaceCurrent(path, version);
        foreach (var file in files)
        {
            if (new FileInfo(Path.Join(path, file.Name)).LinkTarget != ExportFolder.LinkTo(file.Name))
            {
                PlaceLink(path, file.Name, ExportFolder.LinkTo(file.Name));
            }
        }

        // Otherwise its link would lead nowhere.
        if (!files.Exists(file => file.Name == ExportedFiles.Pfx)
            && new FileInfo(Path.Join(path, ExportedFiles.Pfx)).LinkTarget == ExportFolder.LinkTo(ExportedFiles.Pfx))
        {
            AtomicFile.TryDelete(Path.Join(path, ExportedFiles.Pfx));
        }

        DirectorySync.Flush(path);
        Remove(Path.Join(path, ExportFolder.Mark));

        // The previous version is kept for programs that are reading it.
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

            // As accessible as the folder that contains it, and not more.
            if (FileNode.Of(path) is { } node)
            {
                access.Apply(draft, node.Mode & ExportAccess.FolderFor(UnixFileMode.GroupRead | UnixFileMode.OtherRead), node.Group);
            }
            else
            {
                access.Apply(draft, ExportAccess.FolderFor(files[0].Access.Mode), files[0].Access.Group);
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

        // Versions from a time when links were supported, and half-written files of a process that died.
        foreach (var old in ExportFolder.FindOld(path, long.MaxValue, keep: 0, time.GetUtcNow() - MaxAgeOfDraft))
        {
            Remove(old);
        }

        foreach (var left in Directory.EnumerateFiles(path, ".*.tmp")
            .Where(file => time.GetUtcNow() - File.GetLastWriteTimeUtc(file) > MaxAgeOfDraft))
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

        access.Apply(path, planned.Access.Mode, planned.Access.Group);
    }

    // Others that export to the same path may have written later versions, and removed this one as too old before the link led to it.
    private void PlaceCurrent(string path, long version)
    {
        for (var latest = version; latest > 0; latest = ExportFolder.FindLatest(path))
        {
            PlaceLink(path, ExportFolder.Current, ExportFolder.Format(latest));
            if (Directory.Exists(Path.Join(path, ExportFolder.Format(latest))))
            {
                return;
            }
        }

        throw new DirectoryNotFoundException();
    }

    private void PlaceLink(string path, string name, string target)
    {
        var draft = ExportFolder.NewDraft(path);
        link(draft, target);
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

    /// <summary>Removes a folder and its content. Logs a warning if that fails.</summary>
    public void Remove(string folder)
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

/// <summary>Renames symbolic links with rename(2), because .NET does not move a link to a folder over another one.</summary>
internal static partial class SymbolicLink
{
    /// <summary>Replaces a link with another in one step.</summary>
    /// <exception cref="IOException">The link could not be renamed.</exception>
    public static void Rename(string link, string path)
    {
        if (Move(link, path) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        }
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Move(string from, string to);
}
