using Xunit;
using Xunit.Sdk;

namespace KestrelAcme.Testing.Tests;

public sealed class RequireServerTests
{
    [Fact]
    public void Installed_Shell_ReturnsItsPath() => Assert.True(File.Exists(RequireServer.Installed("sh", "dash")));

    [Fact]
    public void Installed_NoSuchServer_SkipsOrFailsWhereServersAreRequired()
    {
        // Not Assert.Throws, which lets a skip through.
        Exception? exception = null;
        try
        {
            RequireServer.Installed("no-such-server", "nothing");
        }
        catch (Exception thrown)
        {
            exception = thrown;
        }

        Assert.NotNull(exception);
        Assert.Equal(Environment.GetEnvironmentVariable(RequireServer.Variable) == "1", exception is FailException);
        Assert.Contains("no-such-server", exception.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install nothing", exception.Message, StringComparison.Ordinal);
    }
}
