using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Servers;

public sealed class CaddyAcmeServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_Defaults_ServesDirectoryAndHasARoot()
    {
        await using var caddy = await CaddyAcmeServer.StartAsync(cancellationToken: Cancellation);
        using var client = caddy.CreateClient();

        Assert.Contains("newOrder", await client.GetStringAsync(caddy.DirectoryUrl, Cancellation), StringComparison.Ordinal);
        var root = await caddy.GetIssuingRootPemAsync(Cancellation);
        Assert.Contains("Caddy test", await OpenSsl.DescribeAsync(root, ["-noout", "-subject"], Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_HostNames_StartsWithAHostsFileOfItsOwn()
    {
        var before = await File.ReadAllTextAsync("/etc/hosts", Cancellation);
        await using var caddy = await CaddyAcmeServer.StartAsync(new CaddyOptions { HostNames = ["www.example.test"] }, Cancellation);
        using var client = caddy.CreateClient();

        Assert.Contains("newOrder", await client.GetStringAsync(caddy.DirectoryUrl, Cancellation), StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync("/etc/hosts", Cancellation));
    }
}
