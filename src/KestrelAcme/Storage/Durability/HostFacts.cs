namespace KestrelAcme.Storage.Durability;

/// <summary>Facts about the machine that the app runs on.</summary>
/// <param name="Container">What shows that this is a container; <see langword="null"/> if nothing does.</param>
/// <param name="Mounts">The mounted file systems; <see langword="null"/> if the platform does not list them.</param>
internal sealed record HostFacts(string? Container, MountTable? Mounts)
{
    private const string MountInfoPath = "/proc/self/mountinfo";
    private static readonly string[] ContainerFiles = ["/.dockerenv", "/run/.containerenv"];
    private static readonly string[] ContainerGroups = ["docker", "kubepods", "libpod", "containerd"];

    /// <summary>Gathers the facts.</summary>
    public static HostFacts Gather() => new(FindContainer(), ReadMounts());

    /// <summary>Reads the mounted file systems; <see langword="null"/> if the platform does not list them.</summary>
    public static MountTable? ReadMounts() => ReadIfExists(MountInfoPath) is { } text ? MountTable.Parse(text) : null;

    private static string? FindContainer()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER") is "true" or "1")
        {
            return "DOTNET_RUNNING_IN_CONTAINER is set";
        }

        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST")))
        {
            return "KUBERNETES_SERVICE_HOST is set";
        }

        if (Array.Find(ContainerFiles, File.Exists) is { } file)
        {
            return $"{file} exists";
        }

        var groups = ReadIfExists("/proc/self/cgroup");
        return groups is not null && Array.Exists(ContainerGroups, word => groups.Contains(word, StringComparison.Ordinal))
            ? "/proc/self/cgroup names a container"
            : null;
    }

    private static string? ReadIfExists(string path)
    {
        try
        {
            return OperatingSystem.IsLinux() && File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A sandbox hides the file, so nothing is known.
            return null;
        }
    }
}
