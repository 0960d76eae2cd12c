using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Whole files: a reader sees the old content or the new, never a part.</summary>
internal static class AtomicFile
{
    /// <summary>Writes to <paramref name="temporary"/>, in the same folder, and renames it over <paramref name="path"/>.</summary>
    /// <param name="path">The file to replace.</param>
    /// <param name="value">What it is to hold.</param>
    /// <param name="temporary">A name that nobody else uses.</param>
    /// <param name="durable">Whether it has to survive a power cut.</param>
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

    /// <summary>Opens a file for reading in a way that lets others replace and delete it; <see langword="null"/> when it does not exist.</summary>
    public static SafeFileHandle? OpenIfExists(string path) => RegularFile.OpenIfExists(path);

    /// <summary>Reads an open file to its end.</summary>
    /// <exception cref="IOException">It is larger than <paramref name="maxLength"/>.</exception>
    public static byte[] ReadToEnd(SafeFileHandle file, int maxLength)
    {
        var length = LengthOf(file);
        if (length > maxLength)
        {
            throw new IOException($"it has {length} bytes, more than the {maxLength} that a value may have; it is not one of ours");
        }

        var value = new byte[length];
        for (var read = 0; read < length;)
        {
            var count = RandomAccess.Read(file, value.AsSpan(read), read);
            read += count > 0 ? count : throw new EndOfStreamException("it became shorter while it was read");
        }

        return value;
    }

    // Where the system does not tell what a file is, this does: the length of a pipe cannot be had, that of an endless device is nothing.
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

    /// <summary>Deletes a file, and is content when it cannot: what is left is swept away later.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // The first failure is the one worth telling.
        }
    }
}
