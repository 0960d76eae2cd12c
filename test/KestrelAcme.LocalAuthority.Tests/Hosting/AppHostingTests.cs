using System.Net;
using System.Net.Sockets;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

public sealed class AppHostingTests
{
    [Fact]
    public async Task AddLocalAcmeAuthority_Development_AnswersBeforeOtherServicesStartAndUntilTheyStopped()
    {
        var builder = Builder("Development");
        var probe = new Probe();
        builder.Services.AddSingleton<IHostedService>(probe);
        var authority = builder.Services.AddLocalAcmeAuthority(o => o.InMemory = true);
        probe.Authority = authority;
        Assert.Contains(
            "BEGIN CERTIFICATE",
            await File.ReadAllTextAsync(authority.RootPemPath, TestContext.Current.CancellationToken),
            StringComparison.Ordinal);

        using (var host = builder.Build())
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            await host.StopAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal([200, 200], probe.Statuses);
        await Assert.ThrowsAsync<HttpRequestException>(() => Probe.AskAsync(authority));
        Assert.False(File.Exists(authority.RootPemPath));
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_HostNotStarted_TakesNoPortAndWritesNothing()
    {
        using var folder = new TemporaryFolder();
        var (port, files) = (FreePort.Tcp(), FreePort.Tcp());
        var builder = Builder("Development");
        var authority = builder.Services.AddLocalAcmeAuthority(
            o => (o.Folder, o.Port, o.FilesPort) = (folder.Combine("authority"), port, files));
        using var host = builder.Build();

        Assert.False(Directory.Exists(folder.Combine("authority")));
        using (Listen(port))
        using (Listen(files))
        {
            // Both ports are free.
        }

        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(port, authority.DirectoryUrl.Port);
        Assert.Equal(200, await Probe.AskAsync(authority));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_PortTaken_TheStartSaysSo()
    {
        using var taken = Listen(0);
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var builder = Builder("Development");
        builder.Services.AddLocalAcmeAuthority(o => (o.InMemory, o.Port) = (true, port));
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_DisposedBeforeItWasUsed_TakesNothingAnyMore()
    {
        var authority = new ServiceCollection().AddLocalAcmeAuthority(o => o.InMemory = true);
        await authority.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => authority.DirectoryUrl);
    }

    [Fact]
    public void AddLocalAcmeAuthority_Production_IsRefusedAtOnce()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        var error = Assert.Throws<InvalidOperationException>(() => builder.Services.AddLocalAcmeAuthority(o => o.InMemory = true));
        Assert.Contains("'Production'", error.Message, StringComparison.Ordinal);
        Assert.Contains("AllowOutsideDevelopment", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_EnvironmentKnownLate_IsRefusedAtStart()
    {
        LocalAcmeAuthority? authority = null;
        var host = new HostBuilder()
            .UseEnvironment("Staging")
            .ConfigureServices(services =>
            {
                Microsoft.Extensions.DependencyInjection.Extensions.ServiceCollectionDescriptorExtensions.RemoveAll<IHostEnvironment>(
                    services);
                services.AddSingleton<IHostEnvironment>(_ => new LateEnvironment());
                authority = services.AddLocalAcmeAuthority(o => o.InMemory = true);
            })
            .Build();
        await using (authority)
        using (host)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        }
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_ProductionAllowed_Starts()
    {
        var builder = Builder("Production");
        var authority = builder.Services.AddLocalAcmeAuthority(o => (o.InMemory, o.AllowOutsideDevelopment) = (true, true));
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(200, await Probe.AskAsync(authority));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_Twice_ReturnsTheSame()
    {
        var services = new ServiceCollection();
        await using var authority = services.AddLocalAcmeAuthority(o => o.InMemory = true);
        Assert.Same(authority, services.AddLocalAcmeAuthority());
        Assert.Single(services, s => s.ServiceType == typeof(IHostedService));
    }

    [Fact]
    public async Task AddLocalAcmeAuthority_SecondApp_GetsOtherPorts()
    {
        using var folder = new TemporaryFolder();
        await using var first = new ServiceCollection().AddLocalAcmeAuthority(o => o.Folder = folder.Path);
        await using var second = new ServiceCollection().AddLocalAcmeAuthority(o => o.Folder = folder.Path);
        Assert.NotEqual(first.DirectoryUrl, second.DirectoryUrl);
        Assert.NotEqual(first.RevocationListUrl, second.RevocationListUrl);
        Assert.Equal(first.RootPem, second.RootPem);
    }

    [Fact]
    public async Task StartAsync_PortTaken_SaysSo()
    {
        await using var first = await LocalAcmeAuthority.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var port = first.DirectoryUrl.Port;
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => LocalAcmeAuthority.StartAsync(o => o.Port = port, TestContext.Current.CancellationToken));
        Assert.Contains($"127.0.0.1:{port}", error.Message, StringComparison.Ordinal);
    }

    private static TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        return listener;
    }

    private static HostApplicationBuilder Builder(string environment) =>
        Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { EnvironmentName = environment });
}
