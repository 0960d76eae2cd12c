using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace KestrelAcme.EntityFrameworkCore.Tests;

/// <summary>The context of the app: checked at start, and used in a scope of each operation's own.</summary>
public sealed class DbContextSetupTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string ConnectionString => $"Data Source={_folder.Combine("app.db")};Pooling=False";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Validate_ContextIsNotRegistered_IsReported()
        => Assert.Contains(
            "PersistToDbContext<AppDbContext>: the context is not registered. Call builder.Services.AddDbContext<AppDbContext>(...).",
            Validate<AppDbContext>(_ => { }),
            StringComparison.Ordinal);

    [Fact]
    public void Validate_ModelWithoutTheTable_IsReported()
        => Assert.Contains(
            "the model of OtherDbContext has no table for the store. Call modelBuilder.AddAcmeHttps() in its OnModelCreating",
            Validate<OtherDbContext>(services => services.AddDbContext<OtherDbContext>(options => options.UseSqlite(ConnectionString))),
            StringComparison.Ordinal);

    [Fact]
    public void Validate_ContextWithoutProvider_IsReported()
        => Assert.Contains(
            "the context could not be created outside of a request (InvalidOperationException)",
            Validate<AppDbContext>(services => services.AddDbContext<AppDbContext>()),
            StringComparison.Ordinal);

    [Fact]
    public void Validate_PollIntervalOutOfRange_IsReported()
        => Assert.Contains(
            "PollInterval = '02:00:00': is out of range. Use 00:00:01 to 01:00:00.",
            Validate<AppDbContext>(
                services => services.AddDbContext<AppDbContext>(options => options.UseSqlite(ConnectionString)),
                options => options.PollInterval = TimeSpan.FromHours(2)),
            StringComparison.Ordinal);

    [Fact]
    public async Task AnyMember_FactoryOrPoolOrScoped_Works()
    {
        Action<IServiceCollection>[] registrations =
        [
            services => services.AddDbContext<AppDbContext>(options => options.UseSqlite(ConnectionString)),
            services => services.AddDbContextPool<AppDbContext>(options => options.UseSqlite(ConnectionString)),
            services => services.AddDbContextFactory<AppDbContext>(options => options.UseSqlite(ConnectionString)),
            services => services.AddPooledDbContextFactory<AppDbContext>(options => options.UseSqlite(ConnectionString)),
        ];
        foreach (var register in registrations)
        {
            await using var provider = Build<AppDbContext>(register);
            await using (var scope = provider.CreateAsyncScope())
            {
                await using var context = await DbContextSetup<AppDbContext>.CreateAsync(scope.ServiceProvider, Token);
                await context.Database.EnsureCreatedAsync(Token);
            }

            var storage = provider.GetRequiredService<IAcmeStorage>();
            await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token);
            Assert.NotNull(await storage.ReadAsync("a", Token));
            Assert.Contains("app.db", (await storage.CheckAsync(Token)).Place, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Kind.Sqlite)]
    [InlineData(Kind.PostgreSql)]
    public async Task AnyMember_TableIsMissing_MessageHasTheFix(Kind kind)
    {
        await using var fixture = await DbContextFixture.CreateAsync(kind, withTables: false);
        var storage = fixture.Open(TimeProvider.System);
        Func<Task>[] members =
        [
            async () => await storage.ReadAsync("a", Token),
            async () => await storage.WriteAsync("a", "1"u8.ToArray(), cancellationToken: Token),
            async () => await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token),
            async () => await storage.WatchAsync("", Token).FirstAsync(Token),
        ];
        foreach (var member in members)
        {
            var failure = await Assert.ThrowsAsync<StorageUnavailableException>(member);
            Assert.Contains("The table is missing: ", failure.Message, StringComparison.Ordinal);
            Assert.Contains("dotnet ef migrations add AcmeHttps", failure.Message, StringComparison.Ordinal);
        }

        Assert.False((await storage.CheckAsync(Token)).Readable);
    }

    [Fact]
    public async Task AnyMember_WrongPassword_IsNeverShown()
    {
        const string Secret = "s3cr;et=pass word";
        await using var fixture = await DbContextFixture.CreateAsync(Kind.PostgreSql, withTables: false);
        var wrong = new NpgsqlConnectionStringBuilder(fixture.ConnectionString) { Password = Secret, PersistSecurityInfo = true };
        var storage = fixture.Open(TimeProvider.System, wrong.ConnectionString);

        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        var health = await storage.CheckAsync(Token);

        Assert.Contains("password authentication failed", failure.Message, StringComparison.Ordinal);
        Assert.All(
            [failure.ToString(), health.ToString(), string.Join('\n', fixture.Log.Lines)],
            text => Assert.DoesNotContain(Secret, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WriteAsync_ManyInstancesInAnEmptyTable_AllWrite()
    {
        await using var fixture = await DbContextFixture.CreateAsync(Kind.PostgreSql);
        var instances = Enumerable.Range(0, 8).Select(_ => fixture.Open(TimeProvider.System)).ToArray();

        await Task.WhenAll(instances.Select((instance, i) => Task.Run(
            async () => await instance.WriteAsync($"a/{i}", new byte[] { 1 }, cancellationToken: Token), Token)));

        Assert.Equal(8, (await instances[0].ListAsync("a/", Token).ToListAsync(Token)).Count);
    }

    [Fact]
    public async Task WriteAsync_AppRepeatsFailedStatements_WritesUnderALease()
    {
        await using var fixture = await DbContextFixture.CreateAsync(Kind.PostgreSql);
        await using var provider = Build<AppDbContext>(services => services.AddDbContext<AppDbContext>(
            options => options.UseNpgsql(fixture.ConnectionString, npgsql => npgsql.EnableRetryOnFailure())));
        var storage = provider.GetRequiredService<IAcmeStorage>();
        await using var lease = await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);

        await storage.WriteAsync("a", "1"u8.ToArray(), lease, Token);

        Assert.True(await storage.DeleteAsync("a", lease, Token));
    }

    private static string Validate<TContext>(Action<IServiceCollection> register, Action<DbContextStorageOptions>? configure = null)
        where TContext : DbContext
    {
        using var provider = Build<TContext>(register, configure);
        return Assert.ThrowsAny<OptionsValidationException>(() => provider.GetRequiredService<IOptions<AcmeHttpsOptions>>().Value)
            .ToString();
    }

    private static ServiceProvider Build<TContext>(
        Action<IServiceCollection> register, Action<DbContextStorageOptions>? configure = null)
        where TContext : DbContext
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Logging.ClearProviders();
        register(builder.Services);
        builder.Services.AddAcmeHttps(options =>
        {
            options.DomainNames = ["example.com"];
            options.EmailAddress = "admin@example.com";
            options.AcceptTermsOfService = true;
        }).PersistToDbContext<TContext>(configure);
        return builder.Services.BuildServiceProvider();
    }
}
