using KestrelAcme.Storage.Durability;
using Xunit;

namespace KestrelAcme.Tests.Storage.Durability;

public sealed class MountTableTests
{
    [Fact]
    public void Parse_OptionalFields_AreSkipped()
    {
        var table = MountTable.Parse(
            "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:5 propagate_from:2 - ext3 /dev/root rw,errors=continue\n");
        Assert.Equal([new("98:0", "/mnt1", "/mnt2", "ext3")], table.Entries);
    }

    [Fact]
    public void Parse_EscapedCharacters_AreDecoded()
        => Assert.Equal(
            "/my data\\x\t", MountTable.Parse("36 35 98:0 / /my\\040data\\134x\\011 rw - ext4 /dev/sda1 rw").Entries[0].MountPoint);

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("36 35 98:0 / /a rw ext4 /dev/sda1 rw")]
    [InlineData("36 35 98:0 / /a rw -")]
    [InlineData("-")]
    [InlineData("36 35 - ext4 x")]
    [InlineData("garbage \\0")]
    public void Parse_MalformedLine_IsSkipped(string text) => Assert.Empty(MountTable.Parse(text).Entries);

    [Theory]
    [InlineData("/data", "/data")]
    [InlineData("/data/a/b", "/data")]
    [InlineData("/database", "/")]
    [InlineData("/", "/")]
    public void Find_SeveralHold_TheDeepestWins(string path, string mountPoint)
        => Assert.Equal(
            mountPoint,
            MountTable.Parse("1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 / /data rw - ext4 /dev/sda1 rw\n").Find(path)!.MountPoint);

    [Fact]
    public void Find_MountedOver_TheLastWins()
        => Assert.Equal(
            "tmpfs",
            MountTable.Parse("1 0 0:1 / /data rw - ext4 x rw\n2 1 0:2 / /data rw - tmpfs tmpfs rw\n").Find("/data/a")!.FileSystem);

    [Fact]
    public void Find_NothingMounted_Null() => Assert.Null(MountTable.Parse("").Find("/data"));

    [Fact]
    public void Gather_ThisMachine_FindsTheRoot()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has mountinfo.");
        Assert.SkipUnless(
            File.ReadLines("/proc/self/mountinfo").Any(line => line.Split(' ')[4] == "/"), "A chroot that is no mount has no root here.");
        Assert.NotNull(HostFacts.Gather().Mounts!.Find("/"));
    }
}
