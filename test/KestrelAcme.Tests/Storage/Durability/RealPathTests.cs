using KestrelAcme.Storage.Durability;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage.Durability;

public sealed class RealPathTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public RealPathTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets no ordinary user make links.");

    [Fact]
    public void Resolve_NoLinks_TheSame() => Assert.Equal(_folder.Combine("none", "yet"), RealPath.Resolve(_folder.Combine("none", "yet")));

    [Fact]
    public void Resolve_LinksAlongThePath_AreFollowed()
    {
        Directory.CreateDirectory(_folder.Combine("real", "deep"));
        Directory.CreateSymbolicLink(_folder.Combine("absolute"), _folder.Combine("real"));
        Directory.CreateSymbolicLink(_folder.Combine("real", "relative"), "../real/deep");
        Assert.Equal(_folder.Combine("real", "deep", "new"), RealPath.Resolve(_folder.Combine("absolute", "relative", "new")));
    }

    [Fact]
    public void Resolve_LinkToItself_Ends()
    {
        Directory.CreateSymbolicLink(_folder.Combine("circle"), "circle");
        Assert.NotEmpty(RealPath.Resolve(_folder.Combine("circle", "a")));
    }

    public void Dispose() => _folder.Dispose();
}
