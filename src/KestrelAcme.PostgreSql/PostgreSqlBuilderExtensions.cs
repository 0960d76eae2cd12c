using KestrelAcme.Configuration;
using KestrelAcme.PostgreSql;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps accounts, certificates and their states in PostgreSQL, shared by all instances that use the same schema.</summary>
public static class PostgreSqlBuilderExtensions
{
    /// <summary>
    /// Keeps everything in a database with a connection string, with at most 5 connections unless the string says otherwise.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connectionString">
    /// A connection string of Npgsql, such as <c>Host=db.example.com;Database=app;Username=app;Password=...</c>. It is checked at start. If
    /// it has several hosts, the one that accepts writes is used.
    /// </param>
    /// <param name="configure">Sets options, such as the schema.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToPostgreSql(
        this IAcmeHttpsBuilder builder, string connectionString, Action<PostgreSqlStorageOptions>? configure = null)
        => builder.Persist(new PostgreSqlSetup(connectionString, null, OptionsOf(configure)));

    /// <summary>Keeps everything in a database with a data source of the app, which is not disposed.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="dataSource">
    /// The data source. One of its connections stays in use for notifications (see
    /// <see cref="PostgreSqlStorageOptions.ListenForChanges"/>). If it has several hosts, the one that accepts writes is used.
    /// </param>
    /// <param name="configure">Sets options, such as the schema.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToPostgreSql(
        this IAcmeHttpsBuilder builder, NpgsqlDataSource dataSource, Action<PostgreSqlStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return builder.Persist(new PostgreSqlSetup(null, _ => dataSource, OptionsOf(configure)));
    }

    /// <summary>
    /// Keeps everything in a database with a data source from the app's services, such as
    /// <c>services => services.GetRequiredService&lt;NpgsqlDataSource&gt;()</c>. It is not disposed by the storage.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="dataSource">
    /// Returns the data source; called once. One of its connections stays in use for notifications (see
    /// <see cref="PostgreSqlStorageOptions.ListenForChanges"/>). If it has several hosts, the one that accepts writes is used.
    /// </param>
    /// <param name="configure">Sets options, such as the schema.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToPostgreSql(
        this IAcmeHttpsBuilder builder,
        Func<IServiceProvider, NpgsqlDataSource> dataSource,
        Action<PostgreSqlStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        return builder.Persist(new PostgreSqlSetup(null, dataSource, OptionsOf(configure)));
    }

    private static IAcmeHttpsBuilder Persist(this IAcmeHttpsBuilder builder, PostgreSqlSetup setup)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Singleton(setup));
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<AcmeHttpsOptions>, PostgreSqlValidator>());
        return builder.UseStorage(setup.CreateStorage);
    }

    private static PostgreSqlStorageOptions OptionsOf(Action<PostgreSqlStorageOptions>? configure)
    {
        var options = new PostgreSqlStorageOptions();
        configure?.Invoke(options);
        return options;
    }
}
