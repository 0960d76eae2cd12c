using KestrelAcme.Storage.Durability;
using Xunit;

namespace KestrelAcme.Tests.Storage.Durability;

/// <summary>Mount tables as container engines create them.</summary>
public sealed class DurabilityPolicyTests
{
    private const string Docker = """
        611 431 0:52 / / rw,relatime master:243 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/4UQ,upperdir=/u,workdir=/w
        612 611 0:55 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
        613 611 0:56 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
        618 613 0:54 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
        620 611 254:1 /var/lib/docker/containers/5d0f/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda1 rw,discard,errors=remount-ro
        623 611 254:1 /var/lib/docker/volumes/kestrel-acme/_data /data rw,relatime master:1 - ext4 /dev/vda1 rw,discard
        624 611 254:1 /srv/acme /bound\040folder rw,relatime - ext4 /dev/vda1 rw,discard
        625 611 0:60 / /scratch rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw
        """;

    private const string Podman = """
        702 640 0:48 / / rw,relatime - fuse.fuse-overlayfs fuse-overlayfs rw,user_id=0,group_id=0,default_permissions,allow_other
        703 702 0:49 / /run/.containerenv rw,nosuid,nodev,relatime - tmpfs tmpfs rw,size=803016k,mode=700,uid=1000,gid=1000,inode64
        705 702 0:29 /home/u/.local/share/containers/storage/volumes/kestrel-acme/_data /data rw,relatime - btrfs /dev/nvme0n1p3 rw
        """;

    private const string Kubernetes = """
        2150 1650 0:347 / / rw,relatime master:690 - overlay overlay rw,lowerdir=/var/lib/containerd/snapshots/61/fs,upperdir=/u,workdir=/w
        2151 2150 0:349 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
        2155 2150 259:1 /var/lib/kubelet/pods/8a3f6a0e/volumes/kubernetes.io~empty-dir/cache /cache rw,noatime - xfs /dev/nvme0n1p1 rw
        2156 2150 259:4 / /data rw,relatime - ext4 /dev/nvme1n1 rw
        2157 2150 0:330 / /memory rw,relatime - tmpfs tmpfs rw,size=15873020k
        2158 2150 0:61 /exports/acme /shared rw,relatime - nfs4 10.0.0.5:/exports/acme rw,vers=4.1,hard,proto=tcp
        2159 2150 0:331 / /var/run/secrets/kubernetes.io/serviceaccount ro,relatime - tmpfs tmpfs rw,size=15873020k
        """;

    private const string Host = """
        22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
        28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
        40 28 0:35 / /tmp rw,nosuid,nodev shared:20 - tmpfs tmpfs rw,size=8123456k,nr_inodes=1048576,inode64
        """;

    [Theory]
    [InlineData(Docker, "/data/certificates")]
    [InlineData(Docker, "/bound folder")]
    [InlineData(Podman, "/data")]
    [InlineData(Kubernetes, "/data")]
    [InlineData(Kubernetes, "/shared/a")]
    public void FindFault_MountedVolumeInAContainer_None(string mounts, string path)
        => Assert.Null(Find(mounts, path, container: "/.dockerenv exists"));

    [Theory]
    [InlineData(Docker, "/home/app/.local/share/kestrel-acme")]
    [InlineData(Docker, "/database")]
    [InlineData(Podman, "/root/.local/share/kestrel-acme")]
    [InlineData(Kubernetes, "/app")]
    [InlineData(Host, "/var/lib/kestrel-acme")]
    public void FindFault_ImageOfTheContainer_NamesTheVolumeAndTheOption(string mounts, string path)
    {
        var fault = Find(mounts, path, container: "/.dockerenv exists");
        Assert.Contains($"-v kestrel-acme:{path}", fault, StringComparison.Ordinal);
        Assert.Contains("AllowEphemeralStorage: true", fault, StringComparison.Ordinal);
        Assert.Contains("/.dockerenv exists", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Docker, "/scratch/a")]
    [InlineData(Docker, "/dev/shm")]
    [InlineData(Kubernetes, "/memory")]
    public void FindFault_MemoryInAContainer_SaysSo(string mounts, string path)
        => Assert.Contains("is in memory", Find(mounts, path, container: "KUBERNETES_SERVICE_HOST is set"), StringComparison.Ordinal);

    [Fact]
    public void FindFault_EmptyDir_NamesAClaim()
    {
        var fault = Find(Kubernetes, "/cache/kestrel-acme", container: "KUBERNETES_SERVICE_HOST is set");
        Assert.Contains("emptyDir", fault, StringComparison.Ordinal);
        Assert.Contains("persistent volume claim", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void FindFault_PlainHost_None() => Assert.Null(Find(Host, "/home/u/.local/share/kestrel-acme", container: null));

    [Fact]
    public void FindFault_MemoryOnAHost_AsksForADisk()
        => Assert.Contains("a folder on a disk", Find(Host, "/tmp/kestrel-acme", container: null), StringComparison.Ordinal);

    [Fact]
    public void FindFault_SystemDoesNotSay_None()
        => Assert.Null(DurabilityPolicy.FindFault("/data", new("DOTNET_RUNNING_IN_CONTAINER is set", Mounts: null)));

    private static string? Find(string mounts, string path, string? container)
        => DurabilityPolicy.FindFault(path, new(container, MountTable.Parse(mounts)));
}
