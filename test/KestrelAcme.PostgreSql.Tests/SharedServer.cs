using KestrelAcme.PostgreSql.Tests;
using KestrelAcme.Testing.Servers;
using Xunit;

[assembly: AssemblyFixture(typeof(SharedServer))]

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>One server for all tests, started by the first one that needs it.</summary>
public sealed class SharedServer : IAsyncDisposable
{
    private static readonly SemaphoreSlim Gate = new(1);
    private static PostgreSqlServer? _server;

    /// <summary>Returns the server; skips the running test if PostgreSQL is not installed.</summary>
    internal static async Task<PostgreSqlServer> GetAsync()
    {
        await Gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            return _server ??= await PostgreSqlServer.StartAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
