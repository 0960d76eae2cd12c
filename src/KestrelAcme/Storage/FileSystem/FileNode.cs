using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>What the system says of a file or folder itself, links not followed. .NET tells neither owners nor pipes and devices from files, so this asks Linux.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Owner">The user that it belongs to.</param>
/// <param name="Group">The group that it belongs to.</param>
/// <param name="Mode">Its permissions.</param>
/// <param name="Device">The file system that it is on.</param>
/// <param name="Number">Its number there.</param>
internal readonly partial record struct FileNode(FileKind Kind, uint Owner, uint Group, UnixFileMode Mode, ulong Device, ulong Number)
{
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const int EmptyPath = 0x1000;
    private const uint BasicStats = 0x7FF;
    private const int Length = 256;

    /// <summary>The user that this process acts as.</summary>
    public static uint CurrentUser { get; } = OperatingSystem.IsLinux() ? EffectiveUser() : 0;

    /// <summary>Looks at a path.</summary>
    /// <returns><see langword="null"/> when there is nothing, or where the system cannot tell.</returns>
    public static FileNode? Of(string path) => Look(CurrentFolder, path, NoFollow);

    /// <summary>Looks at an open file.</summary>
    /// <returns><see langword="null"/> where the system cannot tell.</returns>
    public static FileNode? Of(SafeFileHandle file) => Look((int)file.DangerousGetHandle(), "", EmptyPath);

    private static FileNode? Look(int folder, string path, int flags)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Span<byte> answer = stackalloc byte[Length];
        try
        {
            return Statx(folder, path, flags, BasicStats, ref answer[0]) == 0 ? Read(answer) : null;
        }
        catch (EntryPointNotFoundException)
        {
            // A C library older than the call.
            return null;
        }
    }

    private static FileNode Read(ReadOnlySpan<byte> answer)
    {
        int mode = MemoryMarshal.Read<ushort>(answer[28..]);
        var kind = (mode & 0xF000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.Link,
            _ => FileKind.Other,
        };
        return new(
            kind,
            MemoryMarshal.Read<uint>(answer[20..]),
            MemoryMarshal.Read<uint>(answer[24..]),
            (UnixFileMode)(mode & 0xFFF),
            ((ulong)MemoryMarshal.Read<uint>(answer[136..]) << 32) | MemoryMarshal.Read<uint>(answer[140..]),
            MemoryMarshal.Read<ulong>(answer[32..]));
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte answer);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();
}
