using Xunit;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// One server for all tests of an assembly, started by the first one that needs it. Declare it with
/// <c>[assembly: AssemblyFixture(typeof(SharedPostgreSqlServer))]</c>, which stops it.
/// </summary>
public sealed class SharedPostgreSqlServer : IAsyncDisposable
{
    private static readonly SemaphoreSlim Gate = new(1);
    private static PostgreSqlServer? _server;

    /// <summary>Returns the server; skips the running test if PostgreSQL is not installed.</summary>
    public static async Task<PostgreSqlServer> GetAsync()
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
