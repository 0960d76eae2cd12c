namespace KestrelAcme.Testing.Processes;

/// <summary>Finds executables. Debian keeps daemons in sbin, which is not in an ordinary user's PATH.</summary>
public static class Executable
{
    /// <summary>The full path of <paramref name="name"/>, or null.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"])
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
