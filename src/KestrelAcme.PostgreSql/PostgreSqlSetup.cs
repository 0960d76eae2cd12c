using System.Data.Common;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace KestrelAcme.PostgreSql;

/// <summary>
/// What the app passed to <c>PersistToPostgreSql</c>. A connection string is never shown: any part of it may be a password.
/// </summary>
internal sealed class PostgreSqlSetup(
    string? connectionString, Func<IServiceProvider, NpgsqlDataSource>? factory, PostgreSqlStorageOptions options)
{
    private const string Method = "PersistToPostgreSql";
    private const string Example = "Host=db.example.com;Database=app;Username=app;Password=...";
    private const int MaxConnections = 5;
    private const int MaxIdentifierLength = 40;
    private static readonly TimeSpan MinPoll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPoll = TimeSpan.FromHours(1);

    private static readonly string[] PoolSizeKeys = ["Maximum Pool Size", "MaxPoolSize"];

    /// <summary>Returns a line for each problem: key, value, reason and fix.</summary>
    public IEnumerable<string> Problems()
    {
        if (factory is null && ProblemOfConnectionString() is { } problem)
        {
            yield return $"{Method}: {problem}";
        }

        if (!IsIdentifier(options.Schema) || options.Schema.StartsWith("pg_", StringComparison.Ordinal))
        {
            yield return $"{Method}: {nameof(options.Schema)} = '{Show(options.Schema)}': is not a name for a schema. "
                + $"Use at most {MaxIdentifierLength} lower-case letters, digits and '_', and do not begin with a digit or 'pg_'.";
        }

        if (options.TablePrefix is null || (options.TablePrefix.Length > 0 && !IsIdentifier(options.TablePrefix)))
        {
            yield return $"{Method}: {nameof(options.TablePrefix)} = '{Show(options.TablePrefix)}': is not a prefix for tables. "
                + $"Use at most {MaxIdentifierLength} lower-case letters, digits and '_', and do not begin with a digit.";
        }

        if (options.PollInterval < MinPoll || options.PollInterval > MaxPoll)
        {
            yield return $"{Method}: {nameof(options.PollInterval)} = '{options.PollInterval}': is out of range. "
                + $"Use {MinPoll} to {MaxPoll}.";
        }
    }

    /// <summary>Creates the storage. If automatic HTTPS is disabled, the setup was not checked, and nothing is stored.</summary>
    public IAcmeStorage CreateStorage(IServiceProvider services)
    {
        var time = services.GetRequiredService<TimeProvider>();
        if (!services.GetRequiredService<IOptions<AcmeHttpsOptions>>().Value.Enabled)
        {
            return new InMemoryStorage(time);
        }

        var source = factory is null ? CreateDataSource(connectionString!) : factory(services);
        return new PostgreSqlStorage(source, factory is null, options, time, services.GetRequiredService<ILogger<PostgreSqlStorage>>());
    }

    /// <summary>Creates a data source with a small pool: many instances share the connections of one server.</summary>
    internal static NpgsqlDataSource CreateDataSource(string connectionString)
    {
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        if (!PoolSizeKeys.Any(given.ContainsKey))
        {
            builder.ConnectionStringBuilder.MaxPoolSize = Math.Max(MaxConnections, builder.ConnectionStringBuilder.MinPoolSize);
        }

        builder.ConnectionStringBuilder.ApplicationName ??= "KestrelAcme";
        if (builder.ConnectionStringBuilder.Host!.Contains(',', StringComparison.Ordinal))
        {
            return builder.BuildMultiHost();
        }

        // For a single host, Npgsql refuses it. The first write shows whether that host accepts writes.
        builder.ConnectionStringBuilder.TargetSessionAttributes = null;
        return builder.Build();
    }

    private static bool IsIdentifier(string? name)
        => name is { Length: > 0 and <= MaxIdentifierLength } && !char.IsAsciiDigit(name[0])
            && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');

    private static string Show(string? value) => QuotedText.Of(value, QuotedText.MaxNameLength);

    private string? ProblemOfConnectionString()
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            return "the connection string is missing. "
                + $"Pass one, such as '{Example}', or check the name that is passed to GetConnectionString.";
        }

        if (connectionString.TrimStart().StartsWith("postgres", StringComparison.OrdinalIgnoreCase)
            && connectionString.Contains("://", StringComparison.Ordinal))
        {
            return $"the connection string is a URL, which Npgsql does not support. Write it as '{Example}'.";
        }

        try
        {
            var parsed = new NpgsqlConnectionStringBuilder(connectionString);
            if (string.IsNullOrWhiteSpace(parsed.Host))
            {
                return "the connection string has no Host. Add Host=, with the name of the server or the folder of its Unix socket.";
            }

            if (parsed.TargetSessionAttributes is { } target
                && target.Contains("standby", StringComparison.OrdinalIgnoreCase))
            {
                return "the connection string asks for a standby (Target Session Attributes), which does not accept writes. "
                    + "Remove that part: KestrelAcme picks the host that accepts writes.";
            }

            using var built = CreateDataSource(connectionString);
            return null;
        }
        catch (Exception)
        {
            // The exception may quote any part of the string.
            return "the connection string is not valid for Npgsql; it is not shown, because it may contain a password. "
                + $"Write it as '{Example}', and put quotes around a password with ';', '=' or spaces.";
        }
    }
}

/// <summary>Adds the problems of <see cref="PostgreSqlSetup"/> to those of the other options.</summary>
internal sealed class PostgreSqlValidator(PostgreSqlSetup setup) : IValidateOptions<AcmeHttpsOptions>
{
    public ValidateOptionsResult Validate(string? name, AcmeHttpsOptions options)
        => options.Enabled && setup.Problems().ToList() is { Count: > 0 } problems
            ? ValidateOptionsResult.Fail(problems)
            : ValidateOptionsResult.Success;
}
