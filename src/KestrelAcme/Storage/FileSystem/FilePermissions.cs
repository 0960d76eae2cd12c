using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Files for their owner alone, from the moment they exist. On Windows the folder's access list is inherited.</summary>
internal static class FilePermissions
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = PrivateFile | UnixFileMode.UserExecute;
    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Opens a file, and nothing that a link leads to; one that comes to be is readable by its owner only.</summary>
    public static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode is FileMode.CreateNew or FileMode.OpenOrCreate)
        {
            options.UnixCreateMode = PrivateFile;
        }

        if (mode == FileMode.CreateNew)
        {
            // That follows no link, whatever it leads to.
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

    /// <summary>Creates a folder, and those above it, that exist not yet; the new ones survive a crash.</summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }

        var parent = Path.GetDirectoryName(path);
        if (parent is not null)
        {
            CreateFolder(parent);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(path, PrivateFolder);
        DirectorySync.Flush(parent ?? "/");
    }

    /// <summary>The mode of an open file that others can read, as <c>chmod</c> writes it; <see langword="null"/> when only its owner can.</summary>
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
