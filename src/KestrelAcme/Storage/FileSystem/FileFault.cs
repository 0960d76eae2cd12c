namespace KestrelAcme.Storage.FileSystem;

/// <summary>Explains what a file-system error means and how to fix it.</summary>
internal static class FileFault
{
    private const int Eagain = 11;
    private const int Enotdir = 20;
    private const int Enospc = 28;
    private const int Erofs = 30;
    private const int Estale = 116;
    private const int EagainOnMac = 35;
    private const int EdquotOnMac = 69;
    private const int Edquot = 122;
    private const int WriteProtected = unchecked((int)0x80070013);
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LockViolation = unchecked((int)0x80070021);
    private const int HandleDiskFull = unchecked((int)0x80070027);
    private const int DiskFull = unchecked((int)0x80070070);

    public static bool Covers(Exception exception)
        => exception is IOException and not StorageUnavailableException or UnauthorizedAccessException;

    /// <summary>Whether another process has the file open in a way that denies access.</summary>
    public static bool IsLocked(Exception exception)
        => exception is IOException && exception.HResult is SharingViolation or LockViolation or Eagain or EagainOnMac;

    /// <summary>Whether another host removed or replaced what was found at a path a moment before.</summary>
    public static bool IsStale(Exception exception) => exception is IOException { HResult: Estale };

    /// <summary>
    /// Whether there is nothing at a path, or no longer. If all of a share is stale, nothing is known about what is in it.
    /// </summary>
    public static bool IsGone(Exception exception, string path) => exception is FileNotFoundException or DirectoryNotFoundException
        || (IsStale(exception) && Directory.Exists(Path.GetDirectoryName(path)));

    /// <summary>Whether there is no space left.</summary>
    public static bool IsFull(Exception exception)
        => exception is IOException && exception.HResult is Enospc or Edquot or EdquotOnMac or DiskFull or HandleDiskFull;

    /// <param name="action">What was attempted, such as "write to".</param>
    /// <param name="path">The file or folder.</param>
    /// <param name="isFile">Whether the path should be a file.</param>
    /// <param name="exception">The error from the operating system.</param>
    /// <param name="setting">The configuration key that contains the path.</param>
    public static StorageUnavailableException Explain(
        string action, string path, bool isFile, Exception exception, string setting = "StoragePath")
    {
        var (reason, fix) = Diagnose(path, isFile, exception, setting);
        return new($"Could not {action} '{path}': {reason}. {fix}", exception);
    }

    private static (string Reason, string Fix) Diagnose(string path, bool isFile, Exception exception, string setting) => exception switch
    {
        NotRegularFileException => (
            exception.Message,
            "KestrelAcme uses regular files only and follows no links. Remove it, or put the file itself there."),
        _ when IsFull(exception) => ("the disk or the quota is full", "Free some space; KestrelAcme retries the write."),
        { HResult: Erofs or WriteProtected }
            => ("the file system is read-only", $"Mount a writable volume there, or set {setting} to a writable folder."),
        _ when FindFileInTheWay(path, isFile) is { } file => NotAFolder(file, setting),
        { HResult: Enotdir } => NotAFolder(path, setting),
        _ when isFile && Directory.Exists(path) => ("it is a folder, but must be a file", "Move the folder away."),
        UnauthorizedAccessException
            => (
                "permission denied",
                $"Give the folder to the user that the app runs as (chown -R, chmod 700), or set {setting} to a folder of that user."),
        DirectoryNotFoundException or FileNotFoundException
            => ("a folder of this path does not exist", $"Create it or mount the volume, or set {setting} to another folder."),
        PathTooLongException => ("the path is too long for this file system", $"Set {setting} to a shorter path."),
        _ when IsLocked(exception) => ("another process has it open", "Close the other program; KestrelAcme retries."),
        _ => (exception.Message.TrimEnd('.'), "Check the disk or the network share."),
    };

    private static (string Reason, string Fix) NotAFolder(string file, string setting)
        => ($"'{file}' is a file, but must be a folder", $"Move the file away, or set {setting} to another folder.");

    // Finds the nearest existing ancestor if it is a file, although it must be a folder.
    private static string? FindFileInTheWay(string path, bool isFile)
    {
        var folder = isFile ? Path.GetDirectoryName(path) : path;
        for (; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(folder))
            {
                return folder;
            }
        }

        return null;
    }
}
