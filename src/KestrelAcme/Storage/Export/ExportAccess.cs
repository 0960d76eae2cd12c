using System.Runtime.InteropServices;
using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Storage.Export;

/// <summary>Who may read exported files, as the configuration says; what it does not say is kept as somebody set it.</summary>
/// <param name="FileMode">The permissions of files.</param>
/// <param name="Group">The group's name or number.</param>
internal sealed partial record ExportAccess(UnixFileMode? FileMode = null, string? Group = null)
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode GroupReads = UnixFileMode.GroupRead;
    private const UnixFileMode KeptOfKeys = PrivateFile | GroupReads;
    private const UnixFileMode KeptOfCertificates = KeptOfKeys | UnixFileMode.OtherRead;
    private const uint Unchanged = uint.MaxValue;
    private static readonly Lock Lookup = new();

    /// <summary>The permissions of a file, and its group where that is not the app's.</summary>
    /// <param name="name">The file's name: keys are never for everybody.</param>
    /// <param name="before">The file that it takes the place of.</param>
    /// <exception cref="StorageUnavailableException">The group does not exist.</exception>
    public (UnixFileMode Mode, uint? Group) For(string name, FileNode? before)
    {
        var kept = before is { Kind: FileKind.Regular } known && (known.Owner == FileNode.CurrentUser || FileNode.CurrentUser == 0) ? known : (FileNode?)null;
        var mode = FileMode
            ?? (Group is not null ? PrivateFile | GroupReads : kept is { } old ? PrivateFile | (old.Mode & (name == ExportedFiles.Key ? KeptOfKeys : KeptOfCertificates)) : PrivateFile);
        return (mode, Group is not null ? FindGroup(Group) : kept?.Group);
    }

    /// <summary>Gives a new file or folder its permissions, before anybody is led to it.</summary>
    /// <exception cref="StorageUnavailableException">The configured group cannot be given.</exception>
    public void Apply(string path, UnixFileMode mode, uint? group)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        if (group is { } wanted && FileNode.Of(path)?.Group != wanted && ChangeOwner(path, Unchanged, wanted) != 0)
        {
            if (Group is not null)
            {
                throw new StorageUnavailableException(
                    $"Could not give '{path}' to the group '{Group}': {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}. "
                    + "Run the app as a member of that group, or set ExportGroup to one of its groups.");
            }

            // Not the group that was meant: it gets nothing.
            mode &= ~(UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute);
        }

        SetMode(path, mode);
    }

    /// <summary>The permissions of a folder, for those who may read files in it.</summary>
    public static UnixFileMode FolderFor(UnixFileMode file)
        => UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | ((file & UnixFileMode.GroupRead) != 0 ? UnixFileMode.GroupRead | UnixFileMode.GroupExecute : 0)
            | ((file & UnixFileMode.OtherRead) != 0 ? UnixFileMode.OtherRead | UnixFileMode.OtherExecute : 0);

    // Where the file system knows no permissions, there are none to set.
    private static void SetMode(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows() || FileNode.Of(path)?.Mode == mode)
        {
            return;
        }

        try
        {
            File.SetUnixFileMode(path, mode);
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // Its mount decides who reads it.
        }
    }

    private static uint FindGroup(string name)
    {
        if (uint.TryParse(name, out var number))
        {
            return number;
        }

        lock (Lookup)
        {
            var entry = GetGroup(name);

            // struct group: the name, the password, the number.
            return entry != 0
                ? (uint)Marshal.ReadInt32(entry, 2 * nint.Size)
                : throw new StorageUnavailableException($"ExportGroup '{name}' is no group of this machine (getent group). Create it, or write its number.");
        }
    }

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetGroup(string name);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeOwner(string path, uint owner, uint group);
}
