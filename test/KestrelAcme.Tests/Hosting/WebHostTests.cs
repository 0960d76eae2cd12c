using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting;

/// <summary>An app whose host is from before ASP.NET Core 3.0.</summary>
public sealed class WebHostTests
{
    [Fact]
    public async Task Start_WebHost_ErrorSaysThatNothingRuns()
    {
        using var folder = new TemporaryFolder();
        var logs = new LogRecorder();
#pragma warning disable ASPDEPR004, ASPDEPR008 // Obsolete, but apps still have it.
        using var host = new WebHostBuilder()
#pragma warning restore ASPDEPR004, ASPDEPR008
            .UseKestrel()
            .UseUrls("http://127.0.0.1:0")
            .ConfigureLogging(logging => logging.AddProvider(logs))
            .ConfigureAppConfiguration(configuration => configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["AcmeHttps:StoragePath"] = folder.Path,
            }))
            .ConfigureServices(services => services.AddAcmeHttps())
            .Configure(static _ => { })
            .Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        var line = Assert.Single(logs.Lines, line => line.Event.Name == "HostWithoutLifecycle");
        Assert.Equal(LogLevel.Error, line.Level);
        Assert.Contains("WebApplication.CreateBuilder", line.Message, StringComparison.Ordinal);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }
}
