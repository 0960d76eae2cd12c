using System.Net.Sockets;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Npgsql;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>Failures: place, reason and fix, never a password, and never "missing".</summary>
public sealed class PostgreSqlFailureTests : IAsyncLifetime
{
    private const string Secret = "s3cr;et=pass word";

    private PostgreSqlFixture _fixture = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await PostgreSqlFixture.CreateAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Theory]
    [InlineData("25006", "The server is a read-only standby", "list all hosts")]
    [InlineData("53300", "The server has no free connection", "max_connections")]
    [InlineData("57P01", "The server is stopping or starting", "tries again")]
    [InlineData("57P03", "The server is stopping or starting", "tries again")]
    [InlineData("53100", "The disk of the server is full", "Free some space")]
    [InlineData("53200", "no memory left", "more memory")]
    [InlineData("40001", "Other transactions got in the way", "tries again")]
    [InlineData("42501", "The user 'admin' lacks a permission", "CREATE SCHEMA IF NOT EXISTS \"kestrelacme\"; CREATE TABLE")]
    [InlineData("42P01", "A table is missing", "CREATE TABLE IF NOT EXISTS \"kestrelacme\".\"entries\"")]
    [InlineData("28P01", "The server rejects the user 'admin'", "Check the password")]
    [InlineData("3D000", "The database does not exist", "correct Database")]
    [InlineData("57014", "The server ended the statement", "statement_timeout")]
    [InlineData("XX000", "the words of the server (SQLSTATE XX000)", "log of the server")]
    public void Describe_AnswerOfTheServer_HasPlaceReasonAndFix(string state, string reason, string fix)
    {
        using var source = NpgsqlDataSource.Create(_fixture.ConnectionString);
        var failures = new PostgreSqlFailures(source, new(new()));

        var message = failures.Describe(
            "reading 'a'", new PostgresException("the words\nof the server", "ERROR", "ERROR", state, detail: Secret)).ToString();

        Assert.Contains(
            $"PostgreSQL at 127.0.0.1:{_fixture.Server.Port} (database '{_fixture.Database}', schema", message, StringComparison.Ordinal);
        Assert.Contains("reading 'a' failed", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.Contains(fix, message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_WrongPassword_IsNeverShown()
    {
        var wrong = new NpgsqlConnectionStringBuilder(_fixture.ConnectionString)
        {
            Password = Secret, IncludeErrorDetail = true, PersistSecurityInfo = true,
        };
        var storage = _fixture.Open(wrong.ConnectionString);

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        var watch = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WatchAsync("", Token).FirstAsync(Token));
        var health = await storage.CheckAsync(Token);

        Assert.Contains("The server rejects the user 'admin'", failure.Message, StringComparison.Ordinal);
        Assert.All(
            [failure.ToString(), watch.ToString(), health.ToString(), string.Join('\n', _fixture.Log.Lines), $"{_fixture.Log}"],
            text => Assert.DoesNotContain(Secret, text, StringComparison.Ordinal));
        Assert.False(health.Readable);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Database=d;Username=u;Password=hidden", "The server cannot be reached")]
    [InlineData("Host=name.invalid;Database=d;Username=u;Password=hidden", "The server cannot be reached")]
    [InlineData("Host=/nowhere;Database=d;Username=u;Password=hidden", "The server cannot be reached")]
    [InlineData("Host=127.0.0.1,127.0.0.1;Port=1;Database=d;Username=u;Password=hidden", "cannot be reached")]
    public async Task ReadAsync_NoServer_IsUnavailable(string connectionString, string reason)
    {
        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await _fixture.Open(connectionString).ReadAsync("a", Token));

        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_ServerIsReadOnly_IsUnavailableAndReadingWorks()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await _fixture.ExecuteAsync($"ALTER DATABASE {_fixture.Database} SET default_transaction_read_only = on");
        var other = _fixture.Open();

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await other.WriteAsync("a", "2"u8.ToArray(), cancellationToken: Token));

        Assert.Contains("read-only standby", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(await other.ReadAsync("a", Token));
        var health = await other.CheckAsync(Token);
        Assert.True(health is { Readable: true, Writable: false });
    }

    [Fact]
    public async Task ReadAsync_NoConnectionIsLeft_IsUnavailable()
    {
        await _fixture.Open().WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await _fixture.ExecuteAsync(
            $"DROP ROLE IF EXISTS limited; CREATE ROLE limited LOGIN PASSWORD 'x' CONNECTION LIMIT 0");
        var settings = new NpgsqlConnectionStringBuilder(_fixture.ConnectionString) { Username = "limited", Password = "x" };

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await _fixture.Open(settings.ConnectionString).ReadAsync("a", Token));

        Assert.Contains("The server has no free connection", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_TableOfSomebodyElse_IsUnavailable()
    {
        await _fixture.ExecuteAsync(
            "CREATE SCHEMA kestrelacme; CREATE TABLE kestrelacme.entries (id int); CREATE TABLE kestrelacme.leases (id int); "
            + "CREATE TABLE kestrelacme.counter (id int);");

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await _fixture.Open().ReadAsync("a", Token));

        Assert.Contains("A table has another shape", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_ServerIsRestartedWhileALeaseIsHeld_GoesOn()
    {
        await using var server = await PostgreSqlServer.StartAsync(Token);
        var connectionString = server.ConnectionString(await server.CreateDatabaseAsync(Token));
        var storage = _fixture.Open(connectionString);
        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await using var lease = await storage.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(5), Token);
        await using var watch = storage.WatchAsync("", Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        var next = watch.MoveNextAsync();

        await server.StopAsync(Token);
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await lease!.RenewAsync(Token));
        Assert.False(lease!.Lost.IsCancellationRequested);
        await server.StartAgainAsync(Token);

        Assert.True(await lease.RenewAsync(Token));
        Assert.Null(await _fixture.Open(connectionString).TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(5), Token));
        await storage.WriteAsync("a", "2"u8.ToArray(), lease, Token);
        Assert.True(await next);
        Assert.Equal(StorageChange.Everything, watch.Current);
    }

    [Fact]
    public async Task WriteAsync_FirstOfTwoHostsIsDown_UsesTheOther()
    {
        var hosts = new NpgsqlConnectionStringBuilder(_fixture.ConnectionString)
        {
            Host = $"127.0.0.1:{FreePort.Tcp()},127.0.0.1:{_fixture.Server.Port}",
        };
        var storage = _fixture.Open(hosts.ConnectionString);

        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);

        Assert.NotNull(await storage.ReadAsync("a", Token));
    }

    [Fact]
    public async Task WriteAsync_OnlyHostsThatRefuseWrites_SaysSo()
    {
        await _fixture.Open().CheckAsync(Token);
        await _fixture.ExecuteAsync($"ALTER DATABASE {_fixture.Database} SET default_transaction_read_only = on");
        var host = $"127.0.0.1:{_fixture.Server.Port}";
        var hosts = new NpgsqlConnectionStringBuilder(_fixture.ConnectionString) { Host = $"{host},{host}" };

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await _fixture.Open(hosts.ConnectionString).WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token));

        Assert.Contains("None of the hosts accepts writes at the moment", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Describe_EachHostHasAReasonOfItsOwn_SaysAllAndThatItIsTriedAgain()
    {
        using var source = NpgsqlDataSource.Create("Host=a,b,c;Database=d;Username=u");
        NpgsqlException refused() => new("Failed to connect to 10.0.0.1:5432", new SocketException((int)SocketError.ConnectionRefused));
        var starting = new PostgresException("the database system is starting up", "FATAL", "FATAL", PostgresErrorCodes.CannotConnectNow);

        // As Npgsql reports it, each host twice.
        var failure = new PostgreSqlFailures(source, new(new())).Describe(
            "reading 'a'",
            new NpgsqlException(
                "Unable to connect to a suitable host. Check inner exception for more details.",
                new AggregateException(starting, refused(), starting, refused())));

        Assert.EndsWith(
            "reading 'a' failed. No connection to a host that accepts writes could be opened, such as during a failover. KestrelAcme tries "
            + "again. "
            + "The server is stopping or starting: the database system is starting up (SQLSTATE 57P03). KestrelAcme tries again. "
            + "The server cannot be reached: Connection refused. Check Host and Port, and that the server runs.",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ReadAsync_PooledConnectionWasEnded_IsRepeatedOnAnother(bool severalHosts)
    {
        var hosts = new NpgsqlConnectionStringBuilder(_fixture.ConnectionString)
        {
            Host = $"127.0.0.1:{_fixture.Server.Port},127.0.0.1:{FreePort.Tcp()}",
        };
        var storage = _fixture.Open(severalHosts ? hosts.ConnectionString : _fixture.ConnectionString);
        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await _fixture.ExecuteAsync(
            $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{_fixture.Database}' "
            + "AND pid <> pg_backend_pid()");

        Assert.NotNull(await storage.ReadAsync("a", Token));
    }
}
