using System.Diagnostics;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

public sealed class HostIsolationTests
{
    [Fact]
    public async Task StartAsync_UnderAToolThatConfiguresHosts_IsNotSeenByIt()
    {
        var watcher = new HostWatcher();
        using var subscription = DiagnosticListener.AllListeners.Subscribe(watcher);
        watcher.Watch();
        await using var authority = await LocalAcmeAuthority.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(0, watcher.Seen);

        // The watcher works: it sees a host that is built in this context.
        using (new Microsoft.Extensions.Hosting.HostBuilder().Build())
        {
            Assert.NotEqual(0, watcher.Seen);
        }
    }

    [Fact]
    public async Task StartAsync_HostingVariablesSet_AreIgnored()
    {
        const string Urls = "ASPNETCORE_URLS";
        const string Prefer = "ASPNETCORE_PREFERHOSTINGURLS";
        var (urls, prefer) = (Environment.GetEnvironmentVariable(Urls), Environment.GetEnvironmentVariable(Prefer));
        try
        {
            Environment.SetEnvironmentVariable(Urls, "http://127.0.0.1:1");
            Environment.SetEnvironmentVariable(Prefer, "true");
            await using var authority = await LocalAcmeAuthority.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
            using var client = new TestClient(authority);
            Assert.Equal(200, (await client.GetAsync(client.DirectoryUrl)).Status);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Urls, urls);
            Environment.SetEnvironmentVariable(Prefer, prefer);
        }
    }
}
