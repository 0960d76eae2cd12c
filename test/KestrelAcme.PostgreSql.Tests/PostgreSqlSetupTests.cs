using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace KestrelAcme.PostgreSql.Tests;

/// <summary>What the app passes to <c>PersistToPostgreSql</c>, checked at start.</summary>
public sealed class PostgreSqlSetupTests
{
    private const string Valid = "Host=127.0.0.1;Port=1;Database=app;Username=app;Password=hidden";

    [Theory]
    [InlineData(null, "the connection string is missing")]
    [InlineData(" ", "the connection string is missing")]
    [InlineData("postgres://app:hidden@db/app", "the connection string is a URL")]
    [InlineData("postgresql://app:hidden@db/app", "the connection string is a URL")]
    [InlineData("Host=db;Password=a;hidden=b", "the connection string is not valid for Npgsql")]
    [InlineData("Host=db;Port=hidden", "the connection string is not valid for Npgsql")]
    [InlineData("hidden", "the connection string is not valid for Npgsql")]
    [InlineData("Database=hidden", "the connection string has no Host")]
    [InlineData("Host=a,b;Password=hidden;Target Session Attributes=standby", "asks for a standby")]
    public void Validate_ConnectionString_IsReportedAndNeverShown(string? connectionString, string problem)
    {
        var failure = Validate(builder => builder.PersistToPostgreSql(connectionString!));

        Assert.Contains(problem, failure, StringComparison.Ordinal);
        Assert.Contains("PersistToPostgreSql: ", failure, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("Acme", "")]
    [InlineData("a-b", "")]
    [InlineData("1a", "")]
    [InlineData("pg_acme", "")]
    [InlineData("a\"; DROP TABLE x; --", "")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")]
    [InlineData("acme", "A_")]
    public void Validate_NamesOfTables_AreReported(string schema, string prefix)
    {
        var failure = Validate(builder => builder.PersistToPostgreSql(Valid, options =>
        {
            options.Schema = schema;
            options.TablePrefix = prefix;
            options.PollInterval = TimeSpan.Zero;
        }));

        Assert.Contains(prefix.Length == 0 ? $"Schema = '{schema}'" : $"TablePrefix = '{prefix}'", failure, StringComparison.Ordinal);
        Assert.Contains("PollInterval = '00:00:00': is out of range. Use 00:00:01 to 01:00:00.", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_LaterCall_Wins()
    {
        using var provider = Build(builder => builder.PersistToPostgreSql("hidden").PersistToPostgreSql(Valid));

        Assert.IsType<PostgreSqlStorage>(provider.GetRequiredService<IAcmeStorage>());
    }

    [Fact]
    public void Validate_Disabled_NothingIsChecked()
    {
        using var provider = Build(builder =>
        {
            builder.Services.Configure<AcmeHttpsOptions>(options => options.Enabled = false);
            builder.PersistToPostgreSql("");
        });

        Assert.IsType<InMemoryStorage>(provider.GetRequiredService<IAcmeStorage>());
    }

    [Fact]
    public async Task PersistToPostgreSql_DataSourceOfTheApp_IsUsedAndNotDisposed()
    {
        await using var source = NpgsqlDataSource.Create(Valid);
        await using (var provider = Build(
            builder => builder.PersistToPostgreSql(services => services.GetRequiredService<NpgsqlDataSource>()), source))
        {
            Assert.False((await provider.GetRequiredService<IAcmeStorage>().CheckAsync(TestContext.Current.CancellationToken)).Readable);
        }

        // A disposed one would throw ObjectDisposedException.
        await Assert.ThrowsAnyAsync<NpgsqlException>(
            async () => await source.OpenConnectionAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(Valid, 5)]
    [InlineData(Valid + ";Maximum Pool Size=9", 9)]
    [InlineData(Valid + ";Minimum Pool Size=7", 7)]
    public void CreateDataSource_PoolSize_IsSmallByDefault(string connectionString, int size)
    {
        using var source = PostgreSqlSetup.CreateDataSource(connectionString);

        Assert.Equal(size, new NpgsqlConnectionStringBuilder(source.ConnectionString).MaxPoolSize);
    }

    [Theory]
    [InlineData("Host=db;Target Session Attributes=primary")]
    [InlineData("Host=db;TargetSessionAttributes=read-write")]
    [InlineData("Host=a,b;Target Session Attributes=read-write")]
    [InlineData("Host=a,b;Target Session Attributes=primary;Host Recheck Seconds=1")]
    public void Problems_AsksForThePrimary_None(string connectionString)
        => Assert.Empty(new PostgreSqlSetup(connectionString, null, new()).Problems());

    private static string Validate(Action<IAcmeHttpsBuilder> configure)
    {
        using var provider = Build(configure);
        return Assert.ThrowsAny<OptionsValidationException>(() => provider.GetRequiredService<IOptions<AcmeHttpsOptions>>().Value)
            .ToString();
    }

    private static ServiceProvider Build(Action<IAcmeHttpsBuilder> configure, NpgsqlDataSource? source = null)
    {
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        if (source is not null)
        {
            builder.Services.AddSingleton(source);
        }

        configure(builder.Services.AddAcmeHttps(options =>
        {
            options.DomainNames = ["example.com"];
            options.EmailAddress = "admin@example.com";
            options.AcceptTermsOfService = true;
        }));
        return builder.Services.BuildServiceProvider();
    }
}
