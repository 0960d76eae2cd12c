using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.Export;

/// <summary>Writes the files of one certificate into its folder: all at once by links where these can be made, else one by one.</summary>
internal sealed class ExportWriter(ExportAccess access, Action<string, string> link, TimeProvider time, ILogger logger)
{
    /// <summary>How long a draft may be one that is being written.</summary>
    public static readonly TimeSpan MaxAgeOfDraft = TimeSpan.FromHours(1);

    /// <summary>Writes a version into a folder, which is made where it is not there.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="isNew">Whether nobody set its permissions yet.</param>
    /// <param name="files">The files.</param>
    public void Fill(string path, bool isNew, ExportedFiles files)
    {
        var current = ExportFolder.FindCurrent(path);
        var plans = files.All
            .Select(file => new PlannedFile(file.Name, file.Content, access.For(file.Name, FileNode.Of(ExportFolder.ContentOf(path, current, file.Name)))))
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

        if (isNew || access is not { FileMode: null, Group: null })
        {
            var (mode, group) = files[0].Access;
            access.Apply(path, ExportAccess.FolderFor(mode), group);
            if (access is not { FileMode: null, Group: null } && FileNode.Of(Path.GetDirectoryName(path)!) is { } root && root.Owner == FileNode.CurrentUser)
            {
                access.Apply(Path.GetDirectoryName(path)!, root.Mode | ExportAccess.FolderFor(mode), group);
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

        access.Apply(path, planned.Access.Mode, planned.Access.Group);
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

    /// <summary>Removes a folder with all that it holds; what cannot be removed is reported.</summary>
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
