using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>Ties an authority to an app: it answers before anything else starts, and until everything else has stopped.</summary>
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
                + "Remove AddLocalAcmeAuthority here, or set AllowOutsideDevelopment when that is what you want.");
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        RequireDevelopment(options, environment);

        // The app's own start goes on meanwhile: whoever connects before the authority answers waits for it.
        _serving = authority.ServeAsync(loggers.CreateLogger(Category), cancellationToken);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => _serving;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => DisposeAsync().AsTask();

    // Also for a host that failed to start: the ports are given back all the same.
    public async ValueTask DisposeAsync()
    {
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await authority.DisposeAsync();
    }
}
