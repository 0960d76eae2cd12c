using KestrelAcme.Storage.Durability;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FileSystemCheckTests : IAsyncDisposable
{
    private readonly FileSystemFixture _fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CheckAsync_ContainerWithoutAVolume_NotDurableAndExplains()
    {
        var host = new HostFacts("/.dockerenv exists", MountTable.Parse("1 0 0:52 / / rw - overlay overlay rw"));

        var report = await _fixture.OpenFileSystem(host).CheckAsync(Token);
        Assert.True(report.Writable);
        Assert.False(report.Durable);
        Assert.Contains($"-v kestrel-acme:{_fixture.Root}", report.Explanation, StringComparison.Ordinal);
        Assert.Equal(_fixture.Root, report.Place);
    }

    [Fact]
    public async Task CheckAsync_Disk_DurableAndNothingToExplain()
    {
        var host = new HostFacts(Container: null, MountTable.Parse("1 0 8:2 / / rw - ext4 /dev/sda2 rw"));
        var storage = _fixture.OpenFileSystem(host);

        var report = await storage.CheckAsync(Token);
        await storage.Sweep; // It creates a file for a moment, to see the server's clock.
        Assert.True(report.Durable);
        Assert.Null(report.Explanation);
        Assert.Empty(Directory.GetFiles(_fixture.Root));
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();
}
