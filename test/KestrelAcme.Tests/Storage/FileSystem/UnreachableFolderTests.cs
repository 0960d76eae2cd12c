using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>A folder that cannot be reached is not a missing one, such as one whose volume is not mounted.</summary>
public sealed class UnreachableFolderTests : IAsyncDisposable
{
    private readonly FileSystemFixture _fixture = new();

    public UnreachableFolderTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets no ordinary user make links.");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Folder => Path.Join(_fixture.Root, "folder");

    [Theory]
    [InlineData("folder")]
    [InlineData("/nonexistent/volume")]
    public async Task AnyMember_FolderLeadsNowhere_UnavailableNotMissing(string target)
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("folder/a", new byte[1], cancellationToken: Token);
        await storage.WriteAsync("folder/below/a", new byte[1], cancellationToken: Token);
        Directory.Move(Folder, Folder + ".away");
        Directory.CreateSymbolicLink(Folder, target);

        await AssertUnavailableAsync(storage, "folder/");
        await AssertUnavailableAsync(storage, "folder/below/");

        File.Delete(Folder);
        Directory.Move(Folder + ".away", Folder);
        Assert.Equal(2, await storage.ListAsync("folder/", Token).CountAsync(Token));
        Assert.True(await storage.DeleteAsync("folder/a", cancellationToken: Token));
    }

    [Fact]
    public async Task DeleteAsync_LinkInThePlaceOfTheValue_RemovesTheLinkAndNotItsTarget()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("folder/a", new byte[1], cancellationToken: Token);
        File.CreateSymbolicLink(Path.Join(Folder, "b"), "/nonexistent");
        File.CreateSymbolicLink(Path.Join(Folder, "c"), Path.Join(Folder, "a"));

        Assert.True(await storage.DeleteAsync("folder/b", cancellationToken: Token));
        Assert.True(await storage.DeleteAsync("folder/c", cancellationToken: Token));

        Assert.Equal(["folder/a"], await storage.ListAsync("", Token).ToListAsync(Token));
        Assert.Null(await storage.ReadAsync("folder/b", Token));
    }

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    private static async Task AssertUnavailableAsync(IAcmeStorage storage, string prefix)
    {
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ListAsync(prefix, Token).ToListAsync(Token));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync(prefix + "a", Token));
        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.ReadManyAsync([prefix + "a"], Token).ToListAsync(Token));
        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.DeleteAsync(prefix + "a", cancellationToken: Token));
    }
}
