using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using StackExchange.Redis;

namespace KestrelAcme.Redis.Tests;

/// <summary>Debian's redis-server on a free loopback port, with an append-only file in a temporary folder.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    /// <summary>More of a connection string, for tests in which the server does not respond.</summary>
    public const string Impatient = "connectTimeout=1000,syncTimeout=1000,asyncTimeout=1000";

    private const int Attempts = 3;

    private readonly TemporaryFolder _folder = new();
    private readonly string[] _settings;
    private readonly bool _isTls;
    private readonly string _password;
    private ChildProcess? _process;
    private ConnectionMultiplexer? _admin;

    private RedisServer(string[] settings, string password)
    {
        (_settings, _isTls, _password) = (settings, settings.Contains("--tls-cert-file"), password);
        Port = FreePort.Tcp();
    }

    public int Port { get; }

    public string Output => _process?.Output ?? "";

    /// <summary>A connection string with long timeouts: the machine may be busy.</summary>
    public string ConnectionString => $"127.0.0.1:{Port},connectTimeout=20000,syncTimeout=20000,asyncTimeout=20000";

    /// <summary>Skips or fails the running test if redis-server is not installed.</summary>
    public static void Require() => RequireServer.Installed("redis-server", "redis-server");

    /// <summary>Starts a server with additional settings, as for the command line.</summary>
    public static Task<RedisServer> StartAsync(params string[] settings) => StartAsync(settings, password: "");

    /// <param name="settings">Additional settings.</param>
    /// <param name="password">The password of the default user.</param>
    public static async Task<RedisServer> StartAsync(string[] settings, string password)
    {
        for (var attempt = 1; ; attempt++)
        {
            var server = new RedisServer(settings, password);
            try
            {
                await server.StartAgainAsync();
                return server;
            }
            catch (InvalidOperationException) when (attempt < Attempts)
            {
                // Somebody else has the port.
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>Starts the server with what it has stored.</summary>
    public async Task StartAgainAsync()
    {
        _process = ChildProcess.Start(
            RequireServer.Installed("redis-server", "redis-server"),
            [
                _isTls ? "--tls-port" : "--port", $"{Port}", .. _isTls ? ["--port", "0"] : Array.Empty<string>(),
                // With everysec, a kill may lose what was written during a slow fsync.
                "--bind", "127.0.0.1", "--dir", _folder.Path, "--save", "", "--appendonly", "yes", "--appendfsync", "always", .. _settings,
            ]);
        await _process.WaitForLineAsync("Ready to accept connections");
        if (!_isTls)
        {
            _admin ??= await ConnectionMultiplexer.ConnectAsync(
                $"127.0.0.1:{Port},allowAdmin=true,abortConnect=false,password={_password}");
            await Poll.UntilAsync(async _ => !(await RunAsync("PING")).IsNull, "redis-server to respond");
        }
    }

    /// <summary>Kills the server.</summary>
    public async Task KillAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
    }

    /// <summary>Runs a command with all rights. Not with TLS.</summary>
    public async Task<RedisResult> RunAsync(params string[] command)
        => await _admin!.GetServer("127.0.0.1", Port).ExecuteAsync(command[0], [.. command.Skip(1)]);

    /// <summary>How often each command has been called since the last reset.</summary>
    public async Task<Dictionary<string, long>> CountsAsync()
    {
        var info = (string)(await RunAsync("INFO", "commandstats"))!;
        return info.Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal))
            .Select(line => line["cmdstat_".Length..].Split([":calls=", ","], StringSplitOptions.None))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        if (_admin is not null)
        {
            await _admin.DisposeAsync();
        }

        await KillAsync();
        _folder.Dispose();
    }
}

/// <summary>A server for all tests of a class, started by the first one, so that a missing server skips tests.</summary>
public sealed class SharedRedis : IAsyncDisposable
{
    private RedisServer? _server;

    /// <summary>Returns the server, empty.</summary>
    internal async Task<RedisServer> GetAsync()
    {
        RedisServer.Require();
        _server ??= await RedisServer.StartAsync();
        await _server.RunAsync("FLUSHALL");
        return _server;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
