using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Tests.Storage;

public sealed class DefaultStoragePathTests
{
    [Fact]
    public void Choose_UserWithAFolder_KestrelAcmeBelowIt()
        => Assert.Equal(new("/home/u/.local/share/kestrel-acme", null), Choose("/home/u/.local/share", "/home/u/.config", "/home/u", _ => true));

    [Fact]
    public void Choose_LocalNotWritable_TheOtherFolder()
        => Assert.Equal("/home/u/.config/kestrel-acme", Choose("/home/u/.local/share", "/home/u/.config", "/home/u", path => path.Contains(".config", StringComparison.Ordinal)).Path);

    [Theory]
    [InlineData("", "", null, "HOME is not set")]
    [InlineData("/.local/share", "/.config", "/", "HOME is '/'")]
    [InlineData("/home/app/.local/share", "/home/app/.config", "/home/app", "'/home/app/.local/share/kestrel-acme' cannot be written")]
    public void Choose_NothingWritable_ExplainsAndNamesTheOption(string local, string roaming, string? home, string words)
    {
        var choice = Choose(local, roaming, home, _ => false);
        Assert.Null(choice.Path);
        Assert.Contains(words, choice.Problem, StringComparison.Ordinal);
        Assert.Contains("AcmeHttps:StoragePath", choice.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_WindowsServiceWithoutProfile_ExplainsWithoutHome()
    {
        var choice = DefaultStoragePath.Choose("", "", home: null, windows: true, _ => false);
        Assert.Contains("profile is not loaded", choice.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("HOME", choice.Problem, StringComparison.Ordinal);
    }

    private static StoragePathChoice Choose(string local, string roaming, string? home, Func<string, bool> canWrite)
        => DefaultStoragePath.Choose(local, roaming, home, windows: false, canWrite);
}
