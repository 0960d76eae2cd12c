namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Folders that only their owner may open.</summary>
internal static class PrivateFolder
{
    /// <summary>Refuses a folder in which other users could put a root of theirs.</summary>
    public static void ThrowIfOthersMayWrite(string path)
    {
        const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new InvalidOperationException($"Other users may write to '{path}', where the local authority keeps its root. Run: chmod 700 '{path}'");
        }
    }

    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            // The user's application data is private there already.
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
