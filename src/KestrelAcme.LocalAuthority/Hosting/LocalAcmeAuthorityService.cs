using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>Runs the CA with an app: it starts before the app's other services and stops after them.</summary>
internal sealed class LocalAcmeAuthorityService(
    LocalAcmeAuthority authority, LocalAcmeAuthorityOptions options, IHostEnvironment environment, ILoggerFactory loggers)
    : IHostedLifecycleService, IAsyncDisposable
{
    private const string Category = "KestrelAcme.LocalAuthority";

    private Task _serving = Task.CompletedTask;

    public static void RequireDevelopment(LocalAcmeAuthorityOptions options, IHostEnvironment environment)
    {
        if (!options.AllowOutsideDevelopment && !environment.IsDevelopment())
        {
            throw new InvalidOperationException(
                $"The local ACME authority is for development, and the environment is '{environment.EnvironmentName}'. "
                + "Do not call AddLocalAcmeAuthority in this environment, or set AllowOutsideDevelopment if you really want it.");
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        RequireDevelopment(options, environment);

        // The app starts in parallel: clients that connect before the CA is ready wait for it.
        _serving = authority.ServeAsync(loggers.CreateLogger(Category), cancellationToken);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => _serving;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    // Also called if the host fails to start, so that the ports are released.
    public async ValueTask DisposeAsync()
    {
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await authority.DisposeAsync();
    }
}
