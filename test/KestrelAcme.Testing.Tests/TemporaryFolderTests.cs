using Xunit;

namespace KestrelAcme.Testing.Tests;

public sealed class TemporaryFolderTests
{
    [Fact]
    public void Dispose_FolderWithFiles_DeletesAll()
    {
        var folder = new TemporaryFolder();
        var file = folder.Write("inner/file.txt", "text");
        Assert.True(File.Exists(file));

        folder.Dispose();

        Assert.False(Directory.Exists(folder.Path));
        folder.Dispose();
    }
}
