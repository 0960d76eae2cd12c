using KestrelAcme.LocalAuthority.Tests.Client;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

/// <summary>A hosted service that requests the directory as early and as late as possible.</summary>
internal sealed class Probe : IHostedLifecycleService
{
    public LocalAcmeAuthority? Authority { get; set; }

    public List<int> Statuses { get; } = [];

    public static async Task<int> AskAsync(LocalAcmeAuthority authority)
    {
        using var client = new TestClient(authority);
        return (await client.GetAsync(client.DirectoryUrl)).Status;
    }

    public async Task StartingAsync(CancellationToken cancellationToken) => Statuses.Add(await AskAsync(Authority!));

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken) => Statuses.Add(await AskAsync(Authority!));
}
