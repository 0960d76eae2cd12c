using System.Runtime.InteropServices;

namespace KestrelAcme.Storage.Export;

/// <summary>.NET moves no link that points to a folder over another one, so this asks the system itself.</summary>
internal static partial class SymbolicLink
{
    /// <summary>Puts a link in the place of another in one step (rename(2)).</summary>
    /// <exception cref="IOException">The link could not be moved.</exception>
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
