using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Creates files and folders that only their owner can access, from the moment they exist. On Windows they inherit the folder's access
/// control list.
/// </summary>
internal static class FilePermissions
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = PrivateFile | UnixFileMode.UserExecute;
    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Opens a file without following links. A file that is created is accessible to its owner only.</summary>
    public static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode is FileMode.CreateNew or FileMode.OpenOrCreate)
        {
            options.UnixCreateMode = PrivateFile;
        }

        if (mode == FileMode.CreateNew)
        {
            // CreateNew never follows a link.
            return new FileStream(path, options);
        }

        RegularFile.ThrowIfNotRegular(path);
        var file = new FileStream(path, options);
        try
        {
            RegularFile.ThrowIfAnother(file.SafeFileHandle, path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Creates a folder and its missing ancestors, and makes the new ones survive a crash.</summary>
    public static void CreateFolder(string path)
    {
        // If it is not known, the reason is thrown.
        if (Directory.Exists(path) || (PathProbe.Exists(path) && Directory.Exists(path)))
        {
            return;
        }

        var parent = Path.GetDirectoryName(path);
        if (parent is not null)
        {
            CreateFolder(parent);
        }

        CreateFolderOnly(path);
        DirectorySync.Flush(parent ?? "/");
    }

    /// <summary>Creates a folder whose parent exists.</summary>
    public static void CreateFolderOnly(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, PrivateFolder);
        }
    }

    /// <summary>
    /// Returns the mode of an open file in the notation of <c>chmod</c> if other users can read it; otherwise <see langword="null"/>.
    /// </summary>
    public static string? DescribeIfReadableByOthers(SafeFileHandle file)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        var mode = File.GetUnixFileMode(file);
        return (mode & ReadableByOthers) == 0 ? null : Convert.ToString((int)mode, 8);
    }
}
