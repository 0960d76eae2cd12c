using KestrelAcme.Redis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

// The namespace in which ASP.NET Core apps look for registration methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps accounts, certificates and their states in Redis, so that all instances of an app share them.</summary>
/// <remarks>
/// The app starts even if Redis cannot be reached. Redis must not evict keys (<c>maxmemory-policy noeviction</c>) and should write them to
/// a disk (<c>appendonly yes</c>); otherwise nothing is ordered, and the log says what to change.
/// </remarks>
public static class RedisBuilderExtensions
{
    /// <summary>Keeps accounts, certificates and their states in Redis, with a connection of its own.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connectionString">
    /// A connection string of StackExchange.Redis, such as <c>redis.example.com:6380,ssl=true,user=kestrelacme,password=...</c>. The app
    /// starts even if Redis cannot be reached, whatever <c>abortConnect</c> says.
    /// </param>
    /// <param name="configure">Configures the key prefix and the database.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">
    /// The connection string is missing or cannot be used. The message does not contain it, since it may contain a password.
    /// </exception>
    public static IAcmeHttpsBuilder PersistToRedis(
        this IAcmeHttpsBuilder builder, string connectionString, Action<RedisStorageOptions>? configure = null)
        => builder.PersistToRedis(RedisConnectionText.Parse(connectionString), configure);

    /// <summary>Keeps accounts, certificates and their states in Redis, with a connection of its own.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configuration">
    /// The connection; copied. The app starts even if Redis cannot be reached, whatever
    /// <see cref="ConfigurationOptions.AbortOnConnectFail"/> says.
    /// </param>
    /// <param name="configure">Configures the key prefix and the database.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">There is no endpoint, or one that is not a host and a port.</exception>
    public static IAcmeHttpsBuilder PersistToRedis(
        this IAcmeHttpsBuilder builder, ConfigurationOptions configuration, Action<RedisStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        RedisConnectionText.ThrowIfInvalid(configuration.EndPoints, nameof(configuration));
        var copy = configuration.Clone();
        return builder.Persist((_, time) => RedisConnection.Own(copy, time), configure);
    }

    /// <summary>Keeps accounts, certificates and their states in Redis, with a connection of the app.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connection">The app's connection. It is not disposed.</param>
    /// <param name="configure">Configures the key prefix and the database.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToRedis(
        this IAcmeHttpsBuilder builder, IConnectionMultiplexer connection, Action<RedisStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return builder.Persist((_, time) => RedisConnection.Borrow(() => connection, time), configure);
    }

    /// <summary>Keeps accounts, certificates and their states in Redis, with a connection from the app's services.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connection">
    /// Returns the app's connection, such as a keyed service. Called at the first use of the store; if it throws, the store counts as
    /// unavailable, and it is called again. The connection is not disposed.
    /// </param>
    /// <param name="configure">Configures the key prefix and the database.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToRedis(
        this IAcmeHttpsBuilder builder,
        Func<IServiceProvider, IConnectionMultiplexer> connection,
        Action<RedisStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(connection);
        return builder.Persist((services, time) => RedisConnection.Borrow(() => connection(services), time), configure);
    }

    private static IAcmeHttpsBuilder Persist(
        this IAcmeHttpsBuilder builder,
        Func<IServiceProvider, TimeProvider, RedisConnection> connect,
        Action<RedisStorageOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<RedisStorageOptions>().ValidateOnStart();
        builder.Services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<RedisStorageOptions>, RedisStorageOptionsValidator>());
        if (configure is not null)
        {
            options.Configure(configure);
        }

        return builder.UseStorage(services =>
        {
            var time = services.GetRequiredService<TimeProvider>();
            return new RedisStorage(connect(services, time), services.GetRequiredService<IOptions<RedisStorageOptions>>().Value, time);
        });
    }
}
