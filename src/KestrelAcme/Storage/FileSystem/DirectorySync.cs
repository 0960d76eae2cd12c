using System.Runtime.InteropServices;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Makes created, renamed and deleted names in a folder survive a power failure. .NET cannot open folders, so this calls the operating
/// system.
/// </summary>
internal static partial class DirectorySync
{
    private const int Eio = 5;
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;

    /// <summary>Flushes a folder to the disk. Does nothing if the file system does not support this.</summary>
    /// <exception cref="IOException">The disk reported an error.</exception>
    public static void Flush(string folder)
    {
        // On Windows, the file system's journal covers names.
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }

        var descriptor = Open(folder, OperatingSystem.IsLinux() ? CloseOnExecLinux : CloseOnExecMac);
        if (descriptor < 0)
        {
            return;
        }

        var failed = Sync(descriptor) != 0;
        var error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (failed && error == Eio)
        {
            throw new IOException($"The folder '{folder}' could not be flushed to the disk: input/output error.", error);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
