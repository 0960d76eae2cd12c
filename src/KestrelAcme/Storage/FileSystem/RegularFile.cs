using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Opens files that somebody else may have put there: regular files only, without following a link, and without waiting for whoever is at the other end of a pipe.
/// </summary>
internal static partial class RegularFile
{
    private const int NoEntry = 2;
    private const int NoAccess = 13;
    private const int NotPermitted = 1;
    private const int NotAFolder = 20;
    private const int NoDevice = 6;
    private const int TooManyLinks = 40;
    private const int TooManyLinksOnMac = 62;

    // O_RDONLY with O_CLOEXEC, O_NONBLOCK and O_NOFOLLOW, of which the last differs between processors.
    private static readonly int ReadFlags = OperatingSystem.IsMacOS()
        ? 0x1000000 | 0x4 | 0x100
        : 0x80000 | 0x800 | (RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm or Architecture.Armv6 or Architecture.Ppc64le ? 0x8000 : 0x20000);

    /// <summary>Opens a file for reading in a way that lets others replace and delete it; <see langword="null"/> when it does not exist.</summary>
    /// <exception cref="NotRegularFileException">It is a link, a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened, or is a folder.</exception>
    public static SafeFileHandle? OpenIfExists(string path)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            try
            {
                return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }

        var descriptor = Open(path, ReadFlags);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                NoEntry or NotAFolder => null,
                NoAccess or NotPermitted => throw new UnauthorizedAccessException(),
                TooManyLinks or TooManyLinksOnMac => throw new NotRegularFileException("it is a symbolic link"),
                NoDevice => throw new NotRegularFileException("it is a socket or a device"),
                var error => throw new IOException(Marshal.GetPInvokeErrorMessage(error), error),
            };
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            ThrowIfNotRegular(file, path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Throws when a path is there and is no regular file.</summary>
    /// <exception cref="NotRegularFileException">It is a link, a pipe, a socket or a device.</exception>
    public static void ThrowIfNotRegular(string path)
    {
        if (FileNode.Of(path) is { Kind: FileKind.Link or FileKind.Other } node)
        {
            throw new NotRegularFileException(Describe(node.Kind));
        }
    }

    /// <summary>Throws when a file that was opened by its path is not what stands there: a link was followed. Nothing must be written to it.</summary>
    /// <exception cref="NotRegularFileException">It is another file, or no regular one.</exception>
    public static void ThrowIfAnother(SafeFileHandle file, string path)
    {
        if (FileNode.Of(file) is { } opened && FileNode.Of(path) is { } node
            && (node.Kind != FileKind.Regular || opened.Number != node.Number || opened.Device != node.Device))
        {
            throw new NotRegularFileException(node.Kind == FileKind.Regular ? "it was replaced while it was opened" : Describe(node.Kind));
        }
    }

    private static void ThrowIfNotRegular(SafeFileHandle file, string path)
    {
        switch (FileNode.Of(file)?.Kind)
        {
            case FileKind.Regular:
                return;
            case FileKind.Folder:
                throw new UnauthorizedAccessException();
            case null:
                if (Directory.Exists(path))
                {
                    throw new UnauthorizedAccessException();
                }

                return;
            case var kind:
                throw new NotRegularFileException(Describe(kind.Value));
        }
    }

    private static string Describe(FileKind kind) => kind switch
    {
        FileKind.Link => "it is a symbolic link",
        FileKind.Folder => "it is a folder",
        _ => "it is a pipe, a socket or a device",
    };

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);
}
