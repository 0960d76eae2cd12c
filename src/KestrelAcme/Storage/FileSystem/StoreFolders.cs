using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.Durability;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Checks who else can write to the folders of a store, because such users can replace certificates and keys. Linux only; elsewhere the
/// owners are unknown.
/// </summary>
internal static class StoreFolders
{
    private const UnixFileMode OthersWrite = UnixFileMode.OtherWrite;
    private const UnixFileMode GroupWrites = UnixFileMode.GroupWrite;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int MaxFolders = 64;
    private const uint Administrator = 0;

    /// <summary>Removes write permissions of others from folders that this user owns, and warns about the rest.</summary>
    /// <exception cref="StorageUnavailableException">The root belongs to another user, and every user can write to it.</exception>
    public static void Secure(string root, ILogger logger)
    {
        var path = RealPath.Resolve(root);
        if (FileNode.Of(path) is not { Kind: FileKind.Folder } node)
        {
            return;
        }

        var stranger = node.Owner != FileNode.CurrentUser && node.Owner != Administrator;
        if (stranger && (node.Mode & OthersWrite) != 0 && (node.Mode & UnixFileMode.StickyBit) == 0)
        {
            throw new StorageUnavailableException(
                $"The folder '{path}' belongs to another user (id {node.Owner}) and can be written by every user of this machine "
                + $"(mode {Octal(node.Mode)}): any of them could replace certificates and keys. "
                + $"Run: chown {FileNode.CurrentUser} '{path}' && chmod 700 '{path}', or set StoragePath to another folder.");
        }

        if (stranger)
        {
            logger.StoreOfAnotherUser(path, node.Owner);
        }

        Tighten(path, node, logger);
        foreach (var folder in Directory.EnumerateDirectories(path).Take(MaxFolders))
        {
            if (FileNode.Of(folder) is { Kind: FileKind.Folder } below)
            {
                Tighten(folder, below, logger);
            }
        }
    }

    /// <summary>Throws if a folder on the way to a value is a symbolic link of another user, which may lead out of the store.</summary>
    /// <exception cref="NotRegularFileException">There is such a link.</exception>
    public static void ThrowIfLedAway(string root, string folder)
    {
        for (var path = folder; path.Length > root.Length; path = Path.GetDirectoryName(path)!)
        {
            if (FileNode.Of(path) is { Kind: FileKind.Link } link && link.Owner != FileNode.CurrentUser && link.Owner != Administrator)
            {
                throw new NotRegularFileException($"'{path}' is a symbolic link of another user (id {link.Owner})");
            }
        }
    }

    private static void Tighten(string path, FileNode node, ILogger logger)
    {
        if ((node.Mode & (OthersWrite | GroupWrites)) == 0)
        {
            return;
        }

        if (node.Owner == FileNode.CurrentUser && !OperatingSystem.IsWindows())
        {
            var mode = (node.Mode & OthersWrite) != 0 ? node.Mode & OwnerOnly : node.Mode & ~GroupWrites;
            try
            {
                File.SetUnixFileMode(path, mode);
            }
            catch (Exception exception) when (FileFault.Covers(exception))
            {
                // Some file systems report success without changing anything, so the result is checked below.
            }

            if (FileNode.Of(path) is { } now && (now.Mode & (OthersWrite | GroupWrites)) == 0)
            {
                logger.FolderTightened(path, Octal(node.Mode), Octal(now.Mode));
                return;
            }
        }

        // Whoever created this folder, such as a container runtime, chose its group on purpose.
        if ((node.Mode & OthersWrite) != 0)
        {
            logger.FolderWritableByOthers(path, Octal(node.Mode));
        }
    }

    private static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8);
}
