using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// The metadata of a file or folder, without following links. .NET reports neither owners nor whether a file is a pipe or device, so this
/// calls Linux.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Owner">The ID of the owning user.</param>
/// <param name="Group">The ID of the owning group.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="Device">The file system that contains it.</param>
/// <param name="Number">Its inode number.</param>
internal readonly partial record struct FileNode(FileKind Kind, uint Owner, uint Group, UnixFileMode Mode, ulong Device, ulong Number)
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7FF;
    private const int Length = 256;

    /// <summary>The effective user ID of this process.</summary>
    public static uint CurrentUser { get; } = OperatingSystem.IsLinux() ? EffectiveUser() : 0;

    /// <summary>Reads the metadata of a path.</summary>
    /// <returns><see langword="null"/> if nothing exists there or the platform does not support it.</returns>
    public static FileNode? Of(string path) => Look(CurrentFolder, path, NoFollow);

    /// <summary>Reads the metadata of an open file.</summary>
    /// <returns><see langword="null"/> if the platform does not support it.</returns>
    public static FileNode? Of(SafeFileHandle file) => Look((int)file.DangerousGetHandle(), "", EmptyPath);

    private static FileNode? Look(int folder, string path, int flags)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> buffer = stackalloc byte[Length];
        try
        {
            return Statx(folder, path, flags, BasicStats, ref buffer[0]) == 0 ? Read(buffer) : null;
        }
        catch (EntryPointNotFoundException)
        {
            // The C library is older than this call.
            return null;
        }
    }

    private static FileNode Read(ReadOnlySpan<byte> stat)
    {
        int mode = MemoryMarshal.Read<ushort>(stat[28..]);
        var kind = (mode & 0xF000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        return new(
            kind,
                MemoryMarshal.Read<uint>(stat[20..]),
                MemoryMarshal.Read<uint>(stat[24..]),
                (UnixFileMode)(mode & 0xFFF),
                ((ulong)MemoryMarshal.Read<uint>(stat[136..]) << 32) | MemoryMarshal.Read<uint>(stat[140..]),
                MemoryMarshal.Read<ulong>(stat[32..]));
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte buffer);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();
}

/// <summary>The kind of an entry in a folder.</summary>
internal enum FileKind
{
    Other,
    Regular,
    Folder,
    Link,
}
