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
