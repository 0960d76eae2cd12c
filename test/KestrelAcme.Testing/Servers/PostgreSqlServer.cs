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
    private readonly PostgreSqlServer? _primary;
    private readonly TemporaryFolder _folder = new();
    private ChildProcess? _process;
    private int _databases;

    private PostgreSqlServer(string binaries, PostgreSqlServer? primary)
    {
        (_binaries, _primary) = (binaries, primary);
        Password = primary?.Password ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));
    }

    /// <summary>The port on 127.0.0.1.</summary>
    public int Port { get; } = FreePort.Tcp();

    /// <summary>The name of the administrator.</summary>
    public string User { get; } = "admin";

    /// <summary>The password of the administrator.</summary>
    public string Password { get; }

    /// <summary>Its log since it was (re)started. Each line begins with the name of the database and a colon.</summary>
    public string Output => _process?.Output ?? "";

    // PostgreSQL refuses to run as root.
    private static bool IsRoot => Environment.UserName == "root";

    /// <summary>Starts PostgreSQL; skips the running test if it is not installed.</summary>
    public static Task<PostgreSqlServer> StartAsync(CancellationToken cancellationToken = default)
    {
        var binaries = FindBinaries();
        return StartAttempts.RunAsync(() => StartOnceAsync(binaries, null, cancellationToken));
    }

    /// <summary>Starts a standby: a copy of this server that follows its changes, with the same user and password.</summary>
    public Task<PostgreSqlServer> StartStandbyAsync(CancellationToken cancellationToken = default)
        => StartAttempts.RunAsync(() => StartOnceAsync(_binaries, this, cancellationToken));

    /// <summary>Lets each transaction wait until the standby has it, too.</summary>
    public async Task ConfirmByStandbyAsync(CancellationToken cancellationToken = default)
    {
        await ExecuteAsync(
            "postgres", "ALTER SYSTEM SET synchronous_standby_names = '*';\nSELECT pg_reload_conf()", cancellationToken);
        await UntilAsync("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'", cancellationToken);
    }

    /// <summary>Waits until the standby has everything that its primary has stored so far.</summary>
    public async Task CatchUpAsync(CancellationToken cancellationToken = default)
    {
        var end = await _primary!.ExecuteAsync("postgres", "SELECT pg_current_wal_lsn()", cancellationToken);
        await UntilAsync($"SELECT pg_last_wal_replay_lsn() >= '{end}'", cancellationToken);
    }

    /// <summary>Cuts the standby off from its primary: it gets no more changes.</summary>
    public async Task StopFollowingAsync(CancellationToken cancellationToken = default)
    {
        await ExecuteAsync("postgres", "ALTER SYSTEM SET primary_conninfo = '';\nSELECT pg_reload_conf()", cancellationToken);
        await UntilAsync("SELECT count(*) = 0 FROM pg_stat_wal_receiver", cancellationToken);
    }

    /// <summary>Makes the standby a primary, which accepts writes.</summary>
    public Task PromoteAsync(CancellationToken cancellationToken = default)
        => ExecuteAsync("postgres", "SELECT pg_promote()", cancellationToken);

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
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", Address(database)],
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

    /// <summary>Kills the server with all its processes, as if its machine had crashed.</summary>
    public async Task KillAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
            _process = null;
        }
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
            await KillAsync();
            _folder.Dispose();
        }
    }

    private static async Task<PostgreSqlServer> StartOnceAsync(
        string binaries, PostgreSqlServer? primary, CancellationToken cancellationToken)
    {
        var server = new PostgreSqlServer(binaries, primary);
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

        if (_primary is not null)
        {
            await RunAsUserAsync(
                "pg_basebackup",
                ["-D", _folder.Combine("data"), "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", _primary.Address("postgres")],
                cancellationToken);
            return;
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

    private Task UntilAsync(string question, CancellationToken cancellationToken) => Poll.UntilAsync(
        async token => await ExecuteAsync("postgres", question, token) == "t",
        $"PostgreSQL to answer yes: {question}",
        cancellationToken: cancellationToken);

    private string Address(string database) => $"postgresql://{User}:{Password}@127.0.0.1:{Port}/{database}";

    private string Binary(string name) => Path.Combine(_binaries, name);
}
