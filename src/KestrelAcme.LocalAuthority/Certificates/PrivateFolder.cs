namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Creates folders that only their owner can access.</summary>
internal static class PrivateFolder
{
    /// <summary>Rejects a folder in which other users could place a root of their own.</summary>
    public static void ThrowIfOthersMayWrite(string path)
    {
        const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new InvalidOperationException(
                $"Other users may write to '{path}', where the local authority keeps its root. Run: chmod 700 '{path}'");
        }
    }

    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            // The user's application data folder is already private.
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
