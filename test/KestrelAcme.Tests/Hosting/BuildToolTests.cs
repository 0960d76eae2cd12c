using System.Diagnostics;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting;

/// <summary>
/// The whole program, started by tests and by tools: WebApplicationFactory, and the tool that writes the OpenAPI document at build time.
/// Neither has the files with secrets that exist only in production.
/// </summary>
public sealed class BuildToolTests
{
    private readonly LogRecorder _log = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WebApplicationFactory_SecretsMissing_AnswersInertWithOneLine()
    {
        using var folder = new TemporaryFolder();
        var storage = folder.Combine("store");
        await using var factory = new WebApplicationFactory<TestApp.EntryPoint>().WithWebHostBuilder(builder =>
        {
            builder.UseContentRoot(folder.Path).UseEnvironment("Production");
            foreach (var (key, value) in OtherServerTests.SecretsElsewhere)
            {
                builder.UseSetting(key, value);
            }

            builder.UseSetting("AcmeHttps:StoragePath", storage);
            builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(_log));
        });

        Assert.Equal("Hello over HTTPS", await factory.CreateClient().GetStringAsync("/", Cancelled));

        AssertOneLine("TestServer");
        Assert.False(Directory.Exists(storage));
    }

    [Fact]
    public async Task OpenApiTool_SecretsMissing_StartsInertWithOneLine()
    {
        using var folder = new TemporaryFolder();
        var storage = folder.Combine("store");
        Dictionary<string, string?> settings = new(OtherServerTests.SecretsElsewhere) { ["AcmeHttps:StoragePath"] = storage };

        var host = await StartAsToolAsync(settings, folder.Path);

        AssertOneLine(nameof(NoServer));
        Assert.False(Directory.Exists(storage));
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
    }

    // Uses hosting events to get the host of a program, like HostFactoryResolver and dotnet-getdocument: the program itself runs, with
    // a server that serves nothing and without the hosted services of the app.
    private async Task<IHost> StartAsToolAsync(Dictionary<string, string?> settings, string folder)
    {
        var started = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var resolver = new HostResolver(
            builder => builder
                .ConfigureLogging(logging => logging.ClearProviders().AddProvider(_log))
                .ConfigureServices(services =>
                {
                    services.AddSingleton<IServer, NoServer>();
                    services.AddSingleton<IHostLifetime, NoLifetime>();
                    foreach (var hosted in services.Where(s => s.ServiceType == typeof(IHostedService)).ToList())
                    {
                        _ = hosted.ImplementationType?.Name == "GenericWebHostService" || services.Remove(hosted);
                    }
                }),
            host => host.Services.GetRequiredService<IHostApplicationLifetime>()
                .ApplicationStarted.Register(() => started.TrySetResult(host)));
        using var subscription = DiagnosticListener.AllListeners.Subscribe(resolver);
        string[] arguments =
        [
            "--environment=Production", $"--contentRoot={folder}", .. settings.Select(setting => $"--{setting.Key}={setting.Value}"),
        ];
        var program = new Thread(() =>
        {
            try
            {
                HostResolver.IsProgram = true;
                typeof(TestApp.EntryPoint).Assembly.EntryPoint!.Invoke(null, [arguments]);
                started.TrySetException(new InvalidOperationException("The program ended."));
            }
            catch (Exception exception)
            {
                started.TrySetException(exception.InnerException ?? exception);
            }
        }) { IsBackground = true };
        program.Start();
        return await started.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);
    }

    private void AssertOneLine(string server)
    {
        var line = Assert.Single(
            _log.Lines, line => line.Category.StartsWith("KestrelAcme", StringComparison.Ordinal) && line.Level >= LogLevel.Information);
        Assert.Equal(("InactiveWithoutKestrel", LogLevel.Information), (line.Event.Name, line.Level));
        Assert.Contains(server, line.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(_log.Lines, line => line.Level > LogLevel.Information);
    }

    private sealed class HostResolver(Action<IHostBuilder> configure, Action<IHost> built)
        : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private IDisposable? _subscription;

        // Other tests build hosts at the same time.
        [field: ThreadStatic]
        public static bool IsProgram { get; set; }

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                _subscription = value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (IsProgram && value is { Key: "HostBuilding", Value: IHostBuilder builder })
            {
                configure(builder);
            }
            else if (IsProgram && value is { Key: "HostBuilt", Value: IHost host })
            {
                built(host);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscription?.Dispose();
    }

    private sealed class NoServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
