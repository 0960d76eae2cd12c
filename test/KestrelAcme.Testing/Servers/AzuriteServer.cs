using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>Azurite: the emulator of Azure Blob Storage, from the npm registry. Keeps everything in memory.</summary>
public sealed class AzuriteServer : IAsyncDisposable
{
    /// <summary>The version that <c>.ci/run</c> installs.</summary>
    public const string Version = "3.35.0";

    // The account and its key are the same in every Azurite, and documented.
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const string Ready = "successfully listens";

    private readonly ChildProcess _process;

    private AzuriteServer(ChildProcess process, int port) => (_process, Port) = (process, port);

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>The id of its process.</summary>
    public int Id => _process.Id;

    /// <summary>The account's key.</summary>
    public static string AccountKey => Key;

    /// <summary>The connection string of the account.</summary>
    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint=http://127.0.0.1:{Port}/{Account};";

    /// <summary>The folder in which Azurite is installed, outside the repository.</summary>
    public static string Folder => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "kestrelacme", $"azurite-{Version}");

    /// <summary>Starts Azurite; skips the running test if it is not installed.</summary>
    public static Task<AzuriteServer> StartAsync(CancellationToken cancellationToken = default)
    {
        var node = RequireServer.Installed("node", "nodejs");
        var script = Path.Combine(Folder, "node_modules", "azurite", "dist", "src", "blob", "main.js");
        if (!File.Exists(script))
        {
            RequireServer.Missing($"Azurite is not installed (npm install --prefix {Folder} azurite@{Version}).");
        }

        return StartAttempts.RunAsync(() => StartOnceAsync(node, script, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<AzuriteServer> StartOnceAsync(string node, string script, CancellationToken cancellationToken)
    {
        var port = FreePort.Tcp();
        var process = ChildProcess.Start(
            node,
            [script, "--blobHost", "127.0.0.1", "--blobPort", $"{port}", "--inMemoryPersistence", "--disableTelemetry",
                "--skipApiVersionCheck", "--silent"],
            workingFolder: Path.GetDirectoryName(script));
        try
        {
            await process.WaitForLineAsync(Ready, cancellationToken: cancellationToken);
            return new AzuriteServer(process, port);
        }
        catch (InvalidOperationException exception)
        {
            await process.DisposeAsync();
            throw new ServerStartException(exception.Message);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }
}
