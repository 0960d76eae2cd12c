using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using KestrelAcme.Azure.Tests.Storage;
using KestrelAcme.Testing.Servers;
using Xunit;

[assembly: AssemblyFixture(typeof(AzuriteFixture))]

namespace KestrelAcme.Azure.Tests.Storage;

/// <summary>One Azurite for all tests, started by the first that needs it. Each test has a container of its own.</summary>
public sealed class AzuriteFixture : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private AzuriteServer? _server;

    /// <summary>Starts the server, or skips the running test if it is not installed.</summary>
    public async Task<AzuriteServer> StartAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            return _server ??= await AzuriteServer.StartAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Opens a new container, which does not exist yet.</summary>
    internal async Task<BlobContainerClient> ContainerAsync(HttpMessageHandler? handler = null)
        => await ContainerOfAsync($"t{Guid.NewGuid():N}", handler);

    /// <summary>Opens a container as another instance does.</summary>
    internal async Task<BlobContainerClient> ContainerOfAsync(string name, HttpMessageHandler? handler = null)
        => new((await StartAsync()).ConnectionString, name, Options(handler));

    /// <summary>Options of a client with few and short retries.</summary>
    internal static BlobClientOptions Options(HttpMessageHandler? handler)
    {
        var options = new BlobClientOptions { Transport = new HttpClientTransport(handler ?? new SocketsHttpHandler()) };
        options.Retry.MaxRetries = 1;
        options.Retry.Delay = TimeSpan.FromMilliseconds(10);
        return options;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _starting.Dispose();
    }
}
