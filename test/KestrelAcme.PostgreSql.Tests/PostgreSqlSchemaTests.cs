using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>The tables: created at first use, if the user is allowed to.</summary>
public sealed class PostgreSqlSchemaTests : IAsyncLifetime
{
    private PostgreSqlFixture _fixture = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _fixture = await PostgreSqlFixture.CreateAsync();

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task FirstUse_TwentyInstancesAtOnce_OneCreatesAndAllWork()
    {
        var instances = Enumerable.Range(0, 20).Select(_ => _fixture.Open()).ToArray();

        await Task.WhenAll(instances.Select((instance, i) => Task.Run(
            async () => await instance.WriteAsync($"a/{i}", new byte[] { 1 }, cancellationToken: Token), Token)));

        Assert.Equal(20, (await instances[0].ListAsync("a/", Token).ToListAsync(Token)).Count);
        Assert.Single(_fixture.Log.Lines, line => line.Event.Name == "SchemaCreated");
    }

    [Fact]
    public async Task FirstUse_UserMayNotCreate_MessageHasTheStatementsThatHelp()
    {
        var storage = _fixture.Open(await CreateUserAsync("reader"));

        var refusal = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));

        Assert.Contains("The user 'reader' lacks a permission: permission denied", refusal.Message, StringComparison.Ordinal);
        var script = refusal.Message[refusal.Message.IndexOf("CREATE SCHEMA", StringComparison.Ordinal)..];
        await _fixture.ExecuteAsync(script);
        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(lease);
        await storage.WriteAsync("a", "2"u8.ToArray(), lease, Token);
        Assert.True(await storage.DeleteAsync("a", cancellationToken: Token));
        Assert.True((await storage.CheckAsync(Token)).Writable);
    }

    [Fact]
    public async Task FirstUse_UserMayNotCreateButTheTablesExist_Works()
    {
        await _fixture.Open().WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        var user = await CreateUserAsync("worker");
        await _fixture.ExecuteAsync(
            "GRANT USAGE ON SCHEMA kestrelacme TO worker; "
            + "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA kestrelacme TO worker;");

        Assert.NotNull(await _fixture.Open(user).ReadAsync("a", Token));
    }

    [Fact]
    public async Task FirstUse_UserOwnsAnEmptySchema_CreatesTheTables()
    {
        var user = await CreateUserAsync("owner");
        await _fixture.ExecuteAsync("CREATE SCHEMA kestrelacme AUTHORIZATION owner");

        Assert.Null(await _fixture.Open(user).ReadAsync("a", Token));
    }

    [Fact]
    public async Task CheckAsync_UserMayOnlyRead_IsReadableAndNotWritable()
    {
        await _fixture.Open().WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        var user = await CreateUserAsync("auditor");
        await _fixture.ExecuteAsync(
            "GRANT USAGE ON SCHEMA kestrelacme TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA kestrelacme TO auditor");

        var health = await _fixture.Open(user).CheckAsync(Token);

        Assert.True(health.Readable);
        Assert.False(health.Writable);
        Assert.Contains("GRANT SELECT, INSERT, UPDATE, DELETE", health.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_TablesWereDropped_AreCreatedAgain()
    {
        var storage = _fixture.Open();
        await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
        await _fixture.ExecuteAsync("DROP SCHEMA kestrelacme CASCADE");

        Assert.Null(await storage.ReadAsync("a", Token));
        await storage.WriteAsync("a", "2"u8.ToArray(), cancellationToken: Token);
    }

    [Fact]
    public async Task AnyMember_PrefixesInOneSchema_AreSeparateStores()
    {
        var first = _fixture.Open(_fixture.ConnectionString, new() { Schema = "public", TablePrefix = "one_" });
        var second = _fixture.Open(_fixture.ConnectionString, new() { Schema = "public", TablePrefix = "two_" });
        await first.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);

        Assert.Null(await second.ReadAsync("a", Token));
        Assert.Equal(
            "one_counter\none_entries\none_leases\ntwo_counter\ntwo_entries\ntwo_leases",
            await _fixture.ExecuteAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"));
    }

    [Fact]
    public async Task AnyMember_DatabaseIsSerializableByDefault_ConflictsAreRepeated()
    {
        await _fixture.ExecuteAsync($"ALTER DATABASE {_fixture.Database} SET default_transaction_isolation = 'serializable'");
        var storage = _fixture.Open();
        await storage.WriteAsync("a", "0"u8.ToArray(), cancellationToken: Token);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(
            async () => await storage.WriteAsync($"a/{i}", new byte[] { 1 }, cancellationToken: Token), Token)));

        Assert.Equal(5, (await storage.ListAsync("", Token).ToListAsync(Token)).Count);
    }

    private async Task<string> CreateUserAsync(string name)
    {
        await _fixture.ExecuteAsync($"DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD 'pw-of-{name}'");
        return $"Host=127.0.0.1;Port={_fixture.Server.Port};Database={_fixture.Database};Username={name};Password=pw-of-{name}";
    }
}
