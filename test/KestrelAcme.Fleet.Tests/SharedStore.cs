using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Fleet.Tests;

/// <summary>A store that the instances of a fleet share: a real server, or a folder.</summary>
internal abstract class SharedStore : IAsyncDisposable
{
    /// <summary>The kinds of stores that every test of a fleet is run with in every build.</summary>
    public static TheoryData<string> Kinds => ["folder", "redis", "postgresql"];

    /// <summary>The kinds without notices: instances look for changes. Some tests are run with them only if asked for.</summary>
    public static TheoryData<string> PolledKinds => ["ef-core", "azure-blob", "azure-key-vault"];

    /// <summary>All kinds.</summary>
    public static TheoryData<string> AllKinds => ["folder", "redis", "postgresql", "ef-core", "azure-blob", "azure-key-vault"];

    /// <summary>The environment of an app that uses this store.</summary>
    public abstract IReadOnlyDictionary<string, string?> Settings { get; }

    /// <summary>Makes the store unreachable. What is stored stays.</summary>
    public abstract Task BreakAsync();

    /// <summary>Makes the store reachable again.</summary>
    public abstract Task RestoreAsync();

    /// <summary>Deletes everything, leases included, as somebody does by mistake.</summary>
    public virtual Task EmptyAsync() => throw new NotSupportedException();

    /// <summary>Returns how many operations the store's server has executed; zero if it does not count them.</summary>
    public virtual Task<long> CountOperationsAsync() => Task.FromResult(0L);

    /// <summary>Says what the store was asked for, if it has limits of its own.</summary>
    public virtual string DescribeLoad() => "";

    public static Task<SharedStore> CreateAsync(string kind) => kind switch
    {
        "folder" => Task.FromResult<SharedStore>(new FolderStore()),
        "redis" => RedisStore.StartAsync(),
        "postgresql" => PostgreSqlStore.StartAsync(),
        "ef-core" => PostgreSqlStore.StartAsync(kind),
        "azure-blob" => AzureBlobStore.StartAsync(),
        "azure-key-vault" => AzureKeyVaultStore.StartAsync(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of store."),
    };

    public abstract ValueTask DisposeAsync();
}

/// <summary>A folder of this machine.</summary>
internal sealed class FolderStore : SharedStore
{
    private readonly TemporaryFolder _folder = new();

    public override IReadOnlyDictionary<string, string?> Settings
        => new Dictionary<string, string?> { ["STORE"] = "folder", ["AcmeHttps__StoragePath"] = Root };

    private string Root => _folder.Combine("store");

    private string Away => _folder.Combine("away");

    // A file in place of the folder: nothing below it can be reached. They change places at once, so that nobody makes a new folder
    // meanwhile.
    public override Task BreakAsync()
    {
        File.WriteAllText(Away, "not a folder");
        FileExchange.Exchange(Root, Away);
        return Task.CompletedTask;
    }

    public override Task RestoreAsync()
    {
        FileExchange.Exchange(Root, Away);
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Redis with an append-only file.</summary>
internal sealed class RedisStore : SharedStore
{
    private readonly TemporaryFolder _folder = new();
    private readonly int _port = FreePort.Tcp();
    private ChildProcess? _process;

    public override IReadOnlyDictionary<string, string?> Settings
        => new Dictionary<string, string?>
        {
            ["STORE"] = "redis",
            ["STORE_ADDRESS"] = $"127.0.0.1:{_port},connectTimeout=1000,asyncTimeout=2000",
        };

    public static async Task<SharedStore> StartAsync()
    {
        var store = new RedisStore();
        await store.RestoreAsync();
        return store;
    }

    public override Task BreakAsync() => _process!.KillAsync();

    public override Task EmptyAsync() => SendAsync("FLUSHALL", "+OK");

    public override async Task<long> CountOperationsAsync()
    {
        var line = await SendAsync("INFO stats", "total_commands_processed:");
        return long.Parse(line.AsSpan(line.IndexOf(':') + 1), CultureInfo.InvariantCulture);
    }

    // Returns the line of the answer that starts with a text.
    private async Task<string> SendAsync(string command, string start)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream());
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{command}\r\n"), TestContext.Current.CancellationToken);
        while (true)
        {
            var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken)
                ?? throw new IOException($"Redis did not answer '{start}' to '{command}'.");
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    public override async Task RestoreAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _process = ChildProcess.Start(
            RequireServer.Installed("redis-server", "redis-server"),
            [
                "--port", $"{_port}", "--bind", "127.0.0.1", "--dir", _folder.Path, "--save", "", "--appendonly", "yes",
                "--appendfsync", "always",
            ]);
        await _process.WaitForLineAsync("Ready to accept connections", cancellationToken: TestContext.Current.CancellationToken);
    }

    public override async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }
}

/// <summary>PostgreSQL, with a storage of its own or through EF Core.</summary>
internal sealed class PostgreSqlStore(PostgreSqlServer server, string database, string kind) : SharedStore
{
    public override IReadOnlyDictionary<string, string?> Settings
        => new Dictionary<string, string?>
        {
            ["STORE"] = kind,
            ["STORE_ADDRESS"] = $"{server.ConnectionString(database)};Timeout=2;Command Timeout=2",
        };

    public static async Task<SharedStore> StartAsync(string kind = "postgresql")
    {
        var server = await PostgreSqlServer.StartAsync(TestContext.Current.CancellationToken);
        return new PostgreSqlStore(server, await server.CreateDatabaseAsync(TestContext.Current.CancellationToken), kind);
    }

    public override Task BreakAsync() => server.StopAsync(TestContext.Current.CancellationToken);

    public override Task RestoreAsync() => server.StartAgainAsync(TestContext.Current.CancellationToken);

    public override ValueTask DisposeAsync() => server.DisposeAsync();
}

/// <summary>Azure Blob Storage, as Azurite plays it.</summary>
internal sealed class AzureBlobStore(AzuriteServer server) : SharedStore
{
    public override IReadOnlyDictionary<string, string?> Settings
        => new Dictionary<string, string?> { ["STORE"] = "azure-blob", ["STORE_ADDRESS"] = server.ConnectionString };

    public static async Task<SharedStore> StartAsync()
        => new AzureBlobStore(await AzuriteServer.StartAsync(TestContext.Current.CancellationToken));

    // Its content is in its memory: it is stopped, and answers nobody.
    public override Task BreakAsync()
    {
        ProcessSignals.Send(server.Id, ProcessSignals.Stop);
        return Task.CompletedTask;
    }

    public override Task RestoreAsync()
    {
        ProcessSignals.Send(server.Id, ProcessSignals.Continue);
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => server.DisposeAsync();
}

/// <summary>Exchanges two paths atomically (renameat2 with RENAME_EXCHANGE).</summary>
internal static class FileExchange
{
    private const int CurrentFolder = -100;
    private const uint RenameExchange = 2;

    public static void Exchange(string path, string other)
    {
        if (Rename(CurrentFolder, path, CurrentFolder, other, RenameExchange) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", EntryPoint = "renameat2", SetLastError = true, BestFitMapping = false)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Rename(
        int oldFolder,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string oldPath,
        int newFolder,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string newPath,
        uint flags);
}
