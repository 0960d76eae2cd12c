namespace KestrelAcme.Storage.Durability;

/// <summary>What is known of the machine that the app runs on.</summary>
/// <param name="Container">What shows that this is a container; <see langword="null"/> when nothing does.</param>
/// <param name="Mounts">What is mounted; <see langword="null"/> where the system does not say.</param>
internal sealed record HostFacts(string? Container, MountTable? Mounts)
{
    private const string MountInfoPath = "/proc/self/mountinfo";
    private static readonly string[] ContainerFiles = ["/.dockerenv", "/run/.containerenv"];
    private static readonly string[] ContainerGroups = ["docker", "kubepods", "libpod", "containerd"];

    /// <summary>Looks at the machine.</summary>
    public static HostFacts Gather() => new(FindContainer(), ReadMounts());

    /// <summary>Reads what is mounted; <see langword="null"/> where the system does not say.</summary>
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

        return ReadIfExists("/proc/self/cgroup") is { } groups && Array.Exists(ContainerGroups, word => groups.Contains(word, StringComparison.Ordinal))
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
            // A sandbox that hides it: nothing is known then.
            return null;
        }
    }
}
