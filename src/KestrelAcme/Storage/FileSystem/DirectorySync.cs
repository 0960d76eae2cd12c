using System.Runtime.InteropServices;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Makes created, renamed and deleted names of a folder survive a power cut. .NET opens no folders, so this asks the system itself.</summary>
internal static partial class DirectorySync
{
    private const int Eio = 5;
    private const int CloseOnExecLinux = 0x80000;
    private const int CloseOnExecMac = 0x1000000;

    /// <summary>Flushes a folder to the disk. File systems that know no such thing are taken as they are.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void Flush(string folder)
    {
        // Windows writes the names through its journal.
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
