using System.Runtime.InteropServices;
using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Storage.Export;

/// <summary>
/// Who may read exported files, according to the configuration. Settings that are not configured keep their values on disk.
/// </summary>
/// <param name="FileMode">The permissions of the files.</param>
/// <param name="Group">The name or number of the group.</param>
internal sealed partial record ExportAccess(UnixFileMode? FileMode = null, string? Group = null)
{
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode GroupReads = UnixFileMode.GroupRead;
    private const UnixFileMode KeptOfKeys = PrivateFile | GroupReads;
    private const UnixFileMode KeptOfCertificates = KeptOfKeys | UnixFileMode.OtherRead;
    private const uint Unchanged = uint.MaxValue;
    private static readonly Lock Lookup = new();

    /// <summary>Returns the permissions of a file, and its group if it is not the app's.</summary>
    /// <param name="name">The name of the file. A private key is never readable by everyone.</param>
    /// <param name="before">The file that is replaced.</param>
    /// <exception cref="StorageUnavailableException">The group does not exist.</exception>
    public (UnixFileMode Mode, uint? Group) For(string name, FileNode? before)
    {
        var isOwn = before is { Kind: FileKind.Regular } file && (file.Owner == FileNode.CurrentUser || FileNode.CurrentUser == 0);
        var kept = isOwn ? before : null;
        var allowed = name is ExportedFiles.Key or ExportedFiles.Pfx ? KeptOfKeys : KeptOfCertificates;
        var mode = FileMode
            ?? (Group is not null ? PrivateFile | GroupReads : kept is { } old ? PrivateFile | (old.Mode & allowed) : PrivateFile);
        return (mode, Group is not null ? FindGroup(Group) : kept?.Group);
    }

    /// <summary>Sets the permissions of a new file or folder, before it becomes visible to others.</summary>
    /// <exception cref="StorageUnavailableException">The configured group cannot be set.</exception>
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

            // The group is not the intended one, so it gets no access.
            mode &= ~(UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute);
        }

        SetMode(path, mode);
    }

    /// <summary>Returns the permissions of a folder, for the users who may read files in it.</summary>
    public static UnixFileMode FolderFor(UnixFileMode file)
        => UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | ((file & UnixFileMode.GroupRead) != 0 ? UnixFileMode.GroupRead | UnixFileMode.GroupExecute : 0)
            | ((file & UnixFileMode.OtherRead) != 0 ? UnixFileMode.OtherRead | UnixFileMode.OtherExecute : 0);

    // Some file systems do not support permissions.
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
            // The options of the mount decide who can read the file.
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
                : throw new StorageUnavailableException(
                    $"ExportGroup '{name}' is not a group of this machine (getent group). Create it, or set ExportGroup to its number.");
        }
    }

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint GetGroup(string name);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ChangeOwner(string path, uint owner, uint group);
}
