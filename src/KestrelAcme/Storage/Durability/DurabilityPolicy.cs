namespace KestrelAcme.Storage.Durability;

/// <summary>Decides whether what is stored at a path will be there after a restart.</summary>
internal static class DurabilityPolicy
{
    private const string WayOut = "or set AllowEphemeralStorage: true to order anyway, at the price of the authority's rate limits with every restart.";

    /// <summary>Returns what is wrong and what to do; <see langword="null"/> when the place keeps what it is given, as far as can be told.</summary>
    /// <param name="path">The folder, symbolic links resolved.</param>
    /// <param name="host">The machine.</param>
    public static string? FindFault(string path, HostFacts host)
    {
        if (host.Mounts?.Find(path) is not { } mount)
        {
            return null;
        }

        if (mount.FileSystem is "tmpfs" or "ramfs")
        {
            return $"'{path}' is in memory ({mount.FileSystem} on '{mount.MountPoint}') and is lost with the next restart. {Advise(path, host)}";
        }

        if (mount.Root.Contains("/kubernetes.io~empty-dir/", StringComparison.Ordinal))
        {
            return $"'{path}' is on an emptyDir volume ('{mount.MountPoint}'), which is deleted with its pod. Mount a persistent volume claim there, {WayOut}";
        }

        return host.Container is not null && IsImage(mount)
            ? $"'{path}' is inside the container ({host.Container}) and not on a mounted volume: it is lost when the container is replaced. {Advise(path, host)}"
            : null;
    }

    // The container's own writable layer, whatever file system it is kept in.
    private static bool IsImage(MountEntry mount) => mount.MountPoint == "/" || mount.FileSystem is "overlay" or "fuse.fuse-overlayfs" or "aufs" or "rootfs";

    private static string Advise(string path, HostFacts host)
        => host.Container is null
            ? $"Set StoragePath to a folder on a disk, {WayOut}"
            : $"Mount a volume (docker run -v kestrel-acme:{path}; in Kubernetes a persistent volume claim), {WayOut}";
}
