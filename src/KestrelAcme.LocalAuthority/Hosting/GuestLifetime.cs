using Microsoft.Extensions.Hosting;

namespace KestrelAcme.LocalAuthority.Hosting;

/// <summary>The lifetime of a host inside another process' host: it neither waits nor listens to signals.</summary>
internal sealed class GuestLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
