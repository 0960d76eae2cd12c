using System.Runtime.InteropServices;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Renames a file in one step, on a file server, too. <see cref="File.Move(string, string, bool)"/> would copy a file to another file
/// system, and a reader would see half of it.
/// </summary>
internal static partial class AtomicRename
{
    private const int NoEntry = 2;
    private const int OtherDevice = 18;
    private const int Stale = 116;
    private const int NotSameDevice = unchecked((int)0x80070011);

    /// <summary>Renames a file, and replaces the file that is there.</summary>
    /// <returns>
    /// <see langword="false"/> if the file or the folder of one of the paths does not exist. On a file server this may mean that the server
    /// renamed it and its answer was lost.
    /// </returns>
    /// <exception cref="OtherFileSystemException">The paths are on different file systems.</exception>
    /// <exception cref="IOException">The file could not be renamed.</exception>
    public static bool TryRun(string from, string to)
    {
        if (OperatingSystem.IsWindows())
        {
            return TryRunOnWindows(from, to);
        }

        if (Rename(from, to) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            NoEntry or Stale => false,
            OtherDevice => throw new OtherFileSystemException(),
            var error => throw new IOException(Marshal.GetPInvokeErrorMessage(error), error),
        };
    }

    private static bool TryRunOnWindows(string from, string to)
    {
        // Would be copied.
        if (!string.Equals(Path.GetPathRoot(from), Path.GetPathRoot(to), StringComparison.OrdinalIgnoreCase))
        {
            throw new OtherFileSystemException();
        }

        try
        {
            File.Move(from, to, overwrite: true);
            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (IOException exception) when (exception.HResult == NotSameDevice)
        {
            throw new OtherFileSystemException();
        }
    }

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Rename(string from, string to);
}

/// <summary>Thrown if a file would have to be copied to another file system.</summary>
internal sealed class OtherFileSystemException() : IOException("the folders are on different file systems");
