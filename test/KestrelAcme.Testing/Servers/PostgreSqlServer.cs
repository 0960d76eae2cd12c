using System.Security.Cryptography;
using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>
/// PostgreSQL on a free loopback port, with a data folder of its own. It asks for passwords. Start one for many tests, and give each test a
/// database with <see cref="CreateDatabaseAsync"/>.
/// </summary>
public sealed class PostgreSqlServer : IAsyncDisposable
{
    private const string Package = "postgresql";

    private readonly string _binaries;
    private readonly TemporaryFolder _folder = new();
    private ChildProcess? _process;
    private int _databases;

    private PostgreSqlServer(string binaries) => _binaries = binaries;

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; } = FreePort.Tcp();

    /// <summary>The name of the administrator.</summary>
    public string User { get; } = "admin";

    /// <summary>The password of the administrator.</summary>
    public string Password { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    /// <summary>Its log since it was (re)started. Each line begins with the name of the database and a colon.</summary>
    public string Output => _process?.Output ?? "";

    // PostgreSQL refuses to run as root.
    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>Starts PostgreSQL; skips the running test if it is not installed.</summary>
    public static Task<PostgreSqlServer> StartAsync(CancellationToken cancellationToken = default)
    {
        var binaries = FindBinaries();
        return StartAttempts.RunAsync(() => StartOnceAsync(binaries, cancellationToken));
    }

    /// <summary>Returns the connection string of the administrator for a database, in the format of Npgsql.</summary>
    public string ConnectionString(string database)
        => $"Host=127.0.0.1;Port={Port};Database={database};Username={User};Password={Password}";

    /// <summary>Creates an empty database and returns its name.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken = default)
    {
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await ExecuteAsync("postgres", $"CREATE DATABASE {name}", cancellationToken);
        return name;
    }

    /// <summary>Runs statements as the administrator, each as a transaction of its own.</summary>
    /// <returns>The output: a line for each row, columns separated by <c>|</c>.</returns>
    public async Task<string> ExecuteAsync(string database, string statements, CancellationToken cancellationToken = default)
        => (await Command.RunToSuccessAsync(
            Binary("psql"),
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", $"postgresql://{User}:{Password}@127.0.0.1:{Port}/{database}"],
            statements,
            cancellationToken)).Trim();

    /// <summary>Ends all connections to a database and accepts no new ones, until <see cref="AcceptAsync"/>.</summary>
    public Task RefuseAsync(string database, CancellationToken cancellationToken = default) => ExecuteAsync(
        "postgres",
        $"ALTER DATABASE {database} ALLOW_CONNECTIONS false;\n"
            + $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}';",
        cancellationToken);

    /// <summary>Accepts connections to a database again.</summary>
    public Task AcceptAsync(string database, CancellationToken cancellationToken = default)
        => ExecuteAsync("postgres", $"ALTER DATABASE {database} ALLOW_CONNECTIONS true", cancellationToken);

    /// <summary>Stops the server at once: open transactions are aborted, and clients are disconnected.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (_process is not { HasExited: false } process)
        {
            return;
        }

        await RunAsUserAsync("pg_ctl", ["stop", "-D", _folder.Combine("data"), "-m", "fast", "-w"], cancellationToken);
        await process.WaitForExitAsync(cancellationToken: cancellationToken);
        await process.DisposeAsync();
        _process = null;
    }

    /// <summary>Starts the server again on the same port, with what it stored.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync(cancellationToken);
        await LaunchAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync(CancellationToken.None);
        }
        finally
        {
            if (_process is not null)
            {
                await _process.DisposeAsync();
            }

            _folder.Dispose();
        }
    }

    private static async Task<PostgreSqlServer> StartOnceAsync(string binaries, CancellationToken cancellationToken)
    {
        var server = new PostgreSqlServer(binaries);
        try
        {
            await server.InitializeAsync(cancellationToken);
            await server.LaunchAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    // Debian keeps the programs of each version in a folder outside PATH.
    private static string FindBinaries()
    {
        const string Versions = "/usr/lib/postgresql";
        var newest = Directory.Exists(Versions)
            ? Directory.EnumerateDirectories(Versions).Select(folder => Path.Combine(folder, "bin"))
                .Where(folder => File.Exists(Path.Combine(folder, "initdb"))).Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        return newest ?? Path.GetDirectoryName(RequireServer.Installed("initdb", Package))!;
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        var password = _folder.Write("password", Password);
        if (IsRoot)
        {
            await Command.RunToSuccessAsync(
                RequireServer.Installed("chown", "coreutils"), ["-R", "postgres:", _folder.Path], cancellationToken: cancellationToken);
        }

        await RunAsUserAsync(
            "initdb",
            [
                "-D", _folder.Combine("data"), "-U", User, "-A", "scram-sha-256", $"--pwfile={password}", "-E", "UTF8", "--locale=C",
                "--no-sync",
            ],
            cancellationToken);
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"port={Port}", $"unix_socket_directories={_folder.Path}", "fsync=off", "max_connections=200",
            "shared_buffers=16MB", "dynamic_shared_memory_type=mmap", "timezone=UTC", "autovacuum=off", "log_line_prefix=%d: ",
        ];
        var (file, arguments) = AsUser("postgres", ["-D", _folder.Combine("data"), .. settings.SelectMany(s => new[] { "-c", s })]);
        _process = ChildProcess.Start(file, arguments, workingFolder: _folder.Path);
        var process = _process;
        await StartAttempts.UntilAnswersAsync(
            process, async token => await ExecuteAsync("postgres", "SELECT 1", token) == "1", cancellationToken);
    }

    private async Task RunAsUserAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var (file, all) = AsUser(program, arguments);
        var result = await Command.RunAsync(file, all, cancellationToken: cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new ServerStartException($"{program} ended with code {result.ExitCode}. Output:\n{result.Output}");
        }
    }

    // The kernel forgets the signal for the end of the parent when the user changes, so it is set again.
    private (string File, string[] Arguments) AsUser(string program, string[] arguments) => IsRoot
        ? (RequireServer.Installed("setpriv", "util-linux"),
            ["--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig", "KILL", "--", Binary(program), .. arguments])
        : (Binary(program), arguments);

    private string Binary(string name) => Path.Combine(_binaries, name);
}
