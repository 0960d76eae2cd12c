using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace KestrelAcme.PostgreSql;

/// <summary>
/// Runs statements: creates the tables at first use, repeats what failed for a reason that has passed, and turns every other failure into
/// <see cref="StorageUnavailableException"/>.
/// </summary>
/// <remarks>Work that is passed to it must be safe to repeat: the server may have done it although its response was lost.</remarks>
internal sealed class PostgreSqlDatabase : IAsyncDisposable
{
    private const int MaxConflicts = 10;
    private static readonly TimeSpan ConflictPause = TimeSpan.FromMilliseconds(20);

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlMultiHostDataSource? _hosts;
    private readonly NpgsqlDataSource? _owned;
    private readonly PostgreSqlFailures _failures;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _creating = new(1);
    private volatile bool _exists;

    /// <param name="source">The data source. If it has several hosts, the one that accepts writes is used.</param>
    /// <param name="owned">Whether the data source is disposed with this.</param>
    /// <param name="schema">The schema.</param>
    /// <param name="logger">The logger.</param>
    public PostgreSqlDatabase(NpgsqlDataSource source, bool owned, PostgreSqlSchema schema, ILogger logger)
    {
        _hosts = source as NpgsqlMultiHostDataSource;
        _source = _hosts?.WithTargetSession(TargetSessionAttributes.ReadWrite) ?? source;
        _owned = owned ? source : null;
        _failures = new(source, schema);
        (Schema, _logger) = (schema, logger);
    }

    public PostgreSqlSchema Schema { get; }

    /// <summary>The server, the database and the schema, for operators.</summary>
    public string Place => _failures.Place;

    /// <summary>Whether connections may lead to one host now and to another one later.</summary>
    public bool HasSeveralHosts => _hosts is not null;

    /// <summary>Does some work with a connection.</summary>
    /// <param name="what">What it does, for the message of a failure: "reading 'a/b'".</param>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">It failed.</exception>
    public async Task<T> RunAsync<T>(
        string what, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var opened = false;
            try
            {
                await using var connection = await _source.OpenConnectionAsync(cancellationToken);
                opened = true;
                var isConfirmed = true;
                connection.Notice += (_, received) => isConfirmed &= !PostgreSqlFailures.IsUnconfirmed(received.Notice);
                await CreateTablesAsync(connection, cancellationToken);
                var result = await work(connection, cancellationToken);
                if (isConfirmed)
                {
                    return result;
                }

                cancellationToken.ThrowIfCancellationRequested();
                throw _failures.Unconfirmed(what);
            }
            catch (Exception exception) when (exception is not (LeaseLostException or StorageUnavailableException))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!MayRepeat(exception, attempt, opened))
                {
                    throw _failures.Describe(what, exception);
                }
            }

            // The others run on the real clock, whatever the app's is.
            await Task.Delay(ConflictPause * Random.Shared.NextDouble() * (attempt - 1), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Opens a connection for a long time. The caller disposes it.</summary>
    /// <exception cref="StorageUnavailableException">It failed.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        // Creates the tables, and tries again with another connection if the first one is broken, which only a statement shows.
        await RunAsync("connecting", (connection, token) => connection.ScalarAsync(Schema.Position, token), cancellationToken);
        try
        {
            return await _source.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw _failures.Describe("connecting", exception);
        }
    }

    /// <summary>Describes a failure of work on a connection from <see cref="OpenAsync"/>.</summary>
    public StorageUnavailableException Describe(string what, Exception exception)
        => exception as StorageUnavailableException ?? _failures.Describe(what, exception);

    /// <inheritdoc cref="PostgreSqlFailures.TwoPrimaries"/>
    public StorageUnavailableException TwoPrimaries(string what, string host, string other) => _failures.TwoPrimaries(what, host, other);

    public async ValueTask DisposeAsync()
    {
        if (_owned is not null)
        {
            await _owned.DisposeAsync();
        }
    }

    private async Task CreateTablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_exists)
        {
            return;
        }

        await _creating.WaitAsync(cancellationToken);
        try
        {
            if (_exists)
            {
                return;
            }

            await using var exist = new NpgsqlCommand(Schema.Exists, connection);
            if (await exist.ExecuteScalarAsync(cancellationToken) is not true && await Schema.CreateAsync(connection, cancellationToken))
            {
                _logger.SchemaCreated(Place);
            }

            _exists = true;
        }
        finally
        {
            _creating.Release();
        }
    }

    private bool MayRepeat(Exception exception, int attempt, bool opened)
    {
        switch ((exception as PostgresException)?.SqlState)
        {
            case PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected:
                return attempt < MaxConflicts;
            case PostgresErrorCodes.ReadOnlySqlTransaction when attempt == 1:
                // Connections to a server that has become a standby would stay in the pool although the host's name leads elsewhere now.
                _source.Clear();
                return true;
            case PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName when attempt == 1:
                // Somebody dropped the tables.
                _exists = false;
                return true;
            case PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown:
                return attempt == 1 && AskHostsAgain();
            case null:
                // The connection was in the pool when the server was restarted. Npgsql has emptied the pool by now.
                var isWorthIt = opened
                    ? exception is NpgsqlException { InnerException: IOException or null }
                    : PostgreSqlFailures.IsNoHost(exception);
                return attempt == 1 && isWorthIt && AskHostsAgain();
            default:
                return false;
        }
    }

    // Of several hosts, Npgsql leaves out for ten seconds those that were standbys or down. It takes a host for down even if only a
    // single connection to it was ended.
    private bool AskHostsAgain()
    {
        _hosts?.ClearDatabaseStates();
        return true;
    }
}
