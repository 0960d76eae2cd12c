using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Reads and writes whole files: a reader sees the old content or the new content, never a mixture.</summary>
internal static class AtomicFile
{
    private const int MaxReads = 8;

    /// <summary>Writes to <paramref name="temporary"/> in the same folder and renames it to <paramref name="path"/>.</summary>
    /// <param name="path">The file to replace.</param>
    /// <param name="value">The new content.</param>
    /// <param name="temporary">A path that no other writer uses.</param>
    /// <param name="durable">Whether the new content must survive a power failure.</param>
    public static void Replace(string path, ReadOnlySpan<byte> value, string temporary, bool durable = true)
    {
        try
        {
            using (var file = FilePermissions.Open(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                file.Write(value);
                file.Flush(flushToDisk: durable);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }

        if (durable)
        {
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>
    /// Opens a file for reading, so that others can still replace and delete it. Returns <see langword="null"/> if it does not exist.
    /// </summary>
    public static SafeFileHandle? OpenIfExists(string path) => RegularFile.OpenIfExists(path);

    /// <summary>
    /// Opens and reads a file, and does so again if another host replaced it meanwhile: a file server may have forgotten the open file, or
    /// give the length of the new one.
    /// </summary>
    public static T ReadAgain<T>(Func<T> read)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return read();
            }
            catch (IOException exception) when (attempt < MaxReads && IsReplaced(exception))
            {
                // The next attempt opens the new file.
            }
        }
    }

    // A file that does not exist when it is opened causes no exception.
    private static bool IsReplaced(IOException exception)
        => exception is EndOfStreamException or FileNotFoundException || FileFault.IsStale(exception);

    /// <summary>Reads an open file to its end.</summary>
    /// <exception cref="IOException">The file is larger than <paramref name="maxLength"/>.</exception>
    public static byte[] ReadToEnd(SafeFileHandle file, int maxLength)
    {
        var length = LengthOf(file);
        if (length > maxLength)
        {
            throw new IOException(
                $"it has {length} bytes, more than the {maxLength} that a value may have; KestrelAcme did not write it");
        }

        var value = new byte[length];
        for (var read = 0; read < length;)
        {
            var count = RandomAccess.Read(file, value.AsSpan(read), read);
            read += count > 0 ? count : throw new EndOfStreamException("it was truncated while it was read");
        }

        return value;
    }

    // Detects special files on systems that do not report the kind of a file: a pipe has no length, and an endless device has length 0.
    private static long LengthOf(SafeFileHandle file)
    {
        try
        {
            return RandomAccess.GetLength(file);
        }
        catch (NotSupportedException)
        {
            throw new NotRegularFileException("it is a pipe, a socket or a device");
        }
    }

    /// <summary>Deletes a file and ignores failures. A later sweep removes what is left.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // The caller reports the first failure, which matters more.
        }
    }
}

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
