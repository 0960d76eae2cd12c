namespace KestrelAcme.Storage.Durability;

/// <summary>Decides whether data stored at a path survives a restart.</summary>
internal static class DurabilityPolicy
{
    private const string WayOut =
        "or set AllowEphemeralStorage: true to order anyway, which uses up the CA's rate limits with every restart.";

    /// <summary>Returns what is wrong and how to fix it; <see langword="null"/> if the path is durable as far as is known.</summary>
    /// <param name="path">The folder, with symbolic links resolved.</param>
    /// <param name="host">Facts about the machine.</param>
    public static string? FindFault(string path, HostFacts host)
    {
        if (host.Mounts?.Find(path) is not { } mount)
        {
            return null;
        }

        if (mount.FileSystem is "tmpfs" or "ramfs")
        {
            return $"'{path}' is in memory ({mount.FileSystem} on '{mount.MountPoint}') and is lost with the next restart. "
                + Advise(path, host);
        }

        if (mount.Root.Contains("/kubernetes.io~empty-dir/", StringComparison.Ordinal))
        {
            return $"'{path}' is on an emptyDir volume ('{mount.MountPoint}'), which is deleted with its pod. "
                + $"Mount a persistent volume claim there, {WayOut}";
        }

        return host.Container is not null && IsImage(mount)
            ? $"'{path}' is inside the container ({host.Container}) and not on a mounted volume, "
                + "so it is lost when the container is replaced. "
                + Advise(path, host)
            : null;
    }

    // The writable layer of the container, on any file system.
    private static bool IsImage(MountEntry mount)
        => mount.MountPoint == "/" || mount.FileSystem is "overlay" or "fuse.fuse-overlayfs" or "aufs" or "rootfs";

    private static string Advise(string path, HostFacts host)
        => host.Container is null
            ? $"Set StoragePath to a folder on a disk, {WayOut}"
            : $"Mount a volume (docker run -v kestrel-acme:{path}; in Kubernetes a persistent volume claim), {WayOut}";
}

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

/// <summary>Resolves symbolic links along a whole path, even if its end does not exist yet.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    public static string Resolve(string path)
    {
        var resolved = Path.GetPathRoot(path) ?? "";
        var open = new Stack<string>(Split(path[resolved.Length..]));
        var links = 0;
        while (open.TryPop(out var name))
        {
            var next = Path.GetFullPath(Path.Join(resolved, name));
            if (links < MaxLinks && ReadLink(next) is { } target)
            {
                links++;
                var root = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : "";
                resolved = root.Length > 0 ? root : resolved;
                foreach (var part in Split(target[root.Length..]))
                {
                    open.Push(part);
                }
            }
            else
            {
                resolved = next;
            }
        }

        return resolved;
    }

    // In reverse, for a stack.
    private static IEnumerable<string> Split(string path)
        => path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse();

    private static string? ReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // If a path cannot be read, its name is used as it is.
            return null;
        }
    }
}
