using System.Runtime.InteropServices;
using KestrelAcme.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Opens files that other users may have created: regular files only, without following a link or blocking on a pipe.
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

    // O_RDONLY with O_CLOEXEC and O_NONBLOCK.
    private static readonly int ReadFlags = OperatingSystem.IsMacOS() ? 0x1000000 | 0x4 : 0x80000 | 0x800;

    // O_NOFOLLOW. Its value depends on the processor architecture.
    private static readonly int NoFollow = OperatingSystem.IsMacOS() ? 0x100
        : RuntimeInformation.ProcessArchitecture
            is Architecture.Arm64 or Architecture.Arm or Architecture.Armv6 or Architecture.Ppc64le ? 0x8000 : 0x20000;

    /// <summary>
    /// Opens a file for reading, so that others can still replace and delete it. Returns <see langword="null"/> if it does not exist.
    /// </summary>
    /// <param name="path">The path.</param>
    /// <param name="followLinks">Whether a link is followed, as in the folder of another program. Elsewhere, links are refused.</param>
    /// <exception cref="NotRegularFileException">The path is a link, a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied, or the path is a folder.</exception>
    public static SafeFileHandle? OpenIfExists(string path, bool followLinks = false)
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

        var descriptor = Open(path, followLinks ? ReadFlags : ReadFlags | NoFollow);
        if (descriptor < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                NoEntry or NotAFolder => null,
                NoAccess or NotPermitted => throw new UnauthorizedAccessException(),
                TooManyLinks or TooManyLinksOnMac => throw new NotRegularFileException(
                    followLinks ? "its links lead in a circle" : "it is a symbolic link"),
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

    /// <summary>Throws if a path exists and is not a regular file.</summary>
    /// <exception cref="NotRegularFileException">The path is a link, a pipe, a socket or a device.</exception>
    public static void ThrowIfNotRegular(string path)
    {
        if (FileNode.Of(path) is { Kind: FileKind.Link or FileKind.Other } node)
        {
            throw new NotRegularFileException(Describe(node.Kind));
        }
    }

    /// <summary>
    /// Throws if an open file is not the one at its path, because opening it followed a link. Nothing must be written to it then.
    /// </summary>
    /// <exception cref="NotRegularFileException">It is another file, or not a regular file.</exception>
    public static void ThrowIfAnother(SafeFileHandle file, string path)
    {
        if (FileNode.Of(file) is { } opened && FileNode.Of(path) is { } node
            && (node.Kind != FileKind.Regular || opened.Number != node.Number || opened.Device != node.Device))
        {
            throw new NotRegularFileException(
                node.Kind == FileKind.Regular ? "it was replaced while it was opened" : Describe(node.Kind));
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

/// <summary>
/// Thrown if a path is not a regular file, or is a link to one. The message completes a sentence such as "Could not read 'path': ...".
/// </summary>
internal sealed class NotRegularFileException(string message) : IOException(QuotedText.Of(message));
