using System.Net;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using Xunit;

namespace KestrelAcme.Redis.Tests;

/// <summary>PersistToRedis in an app.</summary>
public sealed class RedisBuilderTests
{
    private const string Password = "pass-word-of-the-store-4711";
    private const string Short = "connectTimeout=500,syncTimeout=500,asyncTimeout=500";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PersistToRedis_ConnectionString_StoresThereAndClosesTheConnectionWithTheApp()
    {
        RedisServer.Require();
        await using var server = await RedisServer.StartAsync();
        var services = Services(builder => builder.PersistToRedis(
            $"{server.ConnectionString},name=of-the-store", options => options.KeyPrefix = "app-1"));
        await using (services)
        {
            var storage = services.GetRequiredService<IAcmeStorage>();
            await storage.WriteAsync("a", new byte[1], cancellationToken: Token);
            Assert.Equal(1, (long)await server.RunAsync("EXISTS", "{app-1}:value:a"));
            Assert.True(await IsConnectedAsync(server));
        }

        await Poll.UntilAsync(async _ => !await IsConnectedAsync(server), "the connection to be closed", cancellationToken: Token);
    }

    [Fact]
    public async Task PersistToRedis_ConnectionOfTheApp_IsNotDisposed()
    {
        RedisServer.Require();
        await using var server = await RedisServer.StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        Action<IAcmeHttpsBuilder>[] ways =
        [
            builder => builder.PersistToRedis(connection),
            builder => builder.PersistToRedis(_ => connection, options => options.KeyPrefix = "other"),
        ];
        foreach (var way in ways)
        {
            await using (var services = Services(way))
            {
                await services.GetRequiredService<IAcmeStorage>().WriteAsync("a", new byte[1], cancellationToken: Token);
            }

            Assert.True((await connection.GetDatabase().PingAsync()).Ticks >= 0);
        }
    }

    [Fact]
    public async Task PersistToRedis_ConnectionCannotBeMadeYet_IsUnavailableAndAskedForAgain()
    {
        RedisServer.Require();
        await using var server = await RedisServer.StartAsync();
        var calls = 0;
        await using var connection = await ConnectionMultiplexer.ConnectAsync(server.ConnectionString);
        await using var services = Services(builder => builder.PersistToRedis(
            _ => ++calls == 1 ? throw new InvalidOperationException("not yet") : connection));
        var storage = services.GetRequiredService<IAcmeStorage>();
        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        Assert.Contains("not yet", failure.Message, StringComparison.Ordinal);
        Assert.Null(await storage.ReadAsync("a", Token));
    }

    [Fact]
    public void PersistToRedis_ChannelPrefixOfTheConnection_IsUsedByBothSides()
    {
        var options = ConfigurationOptions.Parse("localhost,channelPrefix=app:");
        Assert.Equal("app:", RedisConnection.Own(options, TimeProvider.System).ChannelPrefix);
    }

    [Fact]
    public async Task WatchAsync_ChannelPrefixOfTheConnection_ReportsChanges()
    {
        RedisServer.Require();
        await using var server = await RedisServer.StartAsync();
        await using var fixture = new RedisFixture(server);
        await using var changes = fixture.OpenRedis("channelPrefix=app:").WatchAsync("", Token).GetAsyncEnumerator(Token);
        Assert.True(await changes.MoveNextAsync());
        await fixture.OpenRedis("channelPrefix=app:").WriteAsync("a", new byte[1], cancellationToken: Token);
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal("a", changes.Current.Key);
    }

    [Fact]
    public void Build_InvalidOptions_FailsWithTheValuesTheReasonsAndTheFixes()
    {
        var exception = Assert.Throws<OptionsValidationException>(() => App(builder => builder.PersistToRedis("localhost", options =>
        {
            options.KeyPrefix = "my{app}";
            options.Database = -1;
        })));
        string[] problems =
        [
            "KeyPrefix is 'my{app}', which cannot be used as a hash tag: use 1 to 100 letters",
            "Database is -1, but databases are numbered from 0: use 0 or higher",
        ];
        Assert.All(problems, problem => Assert.Contains(problem, exception.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task StartAsync_RedisIsDown_StartsAndShowsNoPassword()
    {
        var port = FreePort.Tcp();
        var log = new LogRecorder();
        var connection = $"127.0.0.1:{port},user=u,password={Password},abortConnect=true,{Short}";
        await using var app = App(builder => builder.PersistToRedis(connection), log);
        await app.StartAsync(Token);
        var reason = $"Redis at 127.0.0.1:{port} could not be reached";
        Assert.Contains(log.Lines, line => line.Message.Contains(reason, StringComparison.Ordinal));
        await app.StopAsync(Token);
        Assert.All(log.Lines, line => Assert.DoesNotContain(Password, line.Message + line.Exception, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReadAsync_NoConnection_OnlyTheFirstWaitsForIt()
    {
        const int Seconds = 5;
        await using var services = Services(builder => builder.PersistToRedis(
            $"127.0.0.1:{FreePort.Tcp()},connectTimeout=500,syncTimeout={Seconds}000,asyncTimeout={Seconds}000"));
        var storage = services.GetRequiredService<IAcmeStorage>();
        var first = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        var started = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < 50; i++)
        {
            var next = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
            Assert.Equal(first.Message, next.Message);
        }

        // Each would have waited for all of the time.
        Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(50 * Seconds));
    }

    [Fact]
    public async Task StartAsync_EvictingPolicy_StartsAndSaysWhatToDo()
    {
        RedisServer.Require();
        await using var server = await RedisServer.StartAsync("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
        var log = new LogRecorder();
        await using var app = App(builder => builder.PersistToRedis(server.ConnectionString), log);
        await app.StartAsync(Token);
        await Poll.UntilAsync(() => log.Has("StoreNeedsAttention"), log.ToString, cancellationToken: Token);
        var line = log.Lines.First(line => line.Event.Name == "StoreNeedsAttention").Message;
        Assert.Contains("Set maxmemory-policy to noeviction", line, StringComparison.Ordinal);
        await app.StopAsync(Token);
    }

    private static async Task<bool> IsConnectedAsync(RedisServer server)
        => ((string)(await server.RunAsync("CLIENT", "LIST"))!).Contains("name=of-the-store", StringComparison.Ordinal);

    private static ServiceProvider Services(Action<IAcmeHttpsBuilder> persist)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton(TimeProvider.System);
        persist(services.AddAcmeHttps());
        return services.BuildServiceProvider();
    }

    private static WebApplication App(Action<IAcmeHttpsBuilder> persist, LogRecorder? log = null)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Production", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Logging.AddProvider(log ?? new LogRecorder());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseHttps()));
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:DomainNames:0"] = "app.test",
            ["AcmeHttps:DirectoryUrl"] = "https://127.0.0.1:1/directory",
        });
        persist(builder.Services.AddAcmeHttps());
        return builder.Build();
    }
}
