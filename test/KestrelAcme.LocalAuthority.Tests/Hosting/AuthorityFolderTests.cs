using KestrelAcme.LocalAuthority.Hosting;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

public sealed class AuthorityFolderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void DefaultPath_UserWithoutAHome_None()
    {
        Assert.Null(AuthorityFolder.DefaultPath(""));
        Assert.Equal("/home/web/.local/share/kestrel-acme-local-authority", AuthorityFolder.DefaultPath("/home/web/.local/share"));
    }

    [Fact]
    public void Open_FolderThatOthersMayWriteTo_IsRefused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no such modes.");
            return;
        }

        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(
            folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);

        var exception = Assert.Throws<InvalidOperationException>(() => AuthorityFolder.Open(folder.Path, Now, constraints: null));
        Assert.Contains("chmod 700", exception.Message, StringComparison.Ordinal);
    }
}
