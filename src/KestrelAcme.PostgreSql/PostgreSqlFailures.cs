using System.Net.Sockets;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Npgsql;

namespace KestrelAcme.PostgreSql;

/// <summary>Describes failures of PostgreSQL and of the way to it: place, reason and fix, and never a password or a value.</summary>
internal sealed class PostgreSqlFailures
{
    private readonly PostgreSqlSchema _schema;
    private readonly string _user;
    private readonly string _database;

    /// <param name="source">The data source. Its connection string has no password.</param>
    /// <param name="schema">The schema.</param>
    public PostgreSqlFailures(NpgsqlDataSource source, PostgreSqlSchema schema)
    {
        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        _schema = schema;
        _user = Name(settings.Username ?? Environment.UserName);
        _database = Name(settings.Database ?? _user);
        var host = settings.Host ?? "";
        Place = $"PostgreSQL at {Name(host.Contains(',') || host.StartsWith('/') ? host : $"{host}:{settings.Port}")} "
            + $"(database '{_database}', schema '{schema.Name}')";
    }

    /// <summary>The server, the database and the schema.</summary>
    public string Place { get; }

    /// <summary>
    /// Whether the server says that it has stopped waiting for a synchronous standby, such as at the end of the command timeout. The
    /// statement succeeds all the same, although a failover may lose it.
    /// </summary>
    /// <remarks>The message depends on the server's language; the function that sends it does not.</remarks>
    public static bool IsUnconfirmed(PostgresNotice notice) => notice.Routine == "SyncRepWaitForLSN";

    /// <summary>Whether Npgsql has left out all of several hosts because of what it found before.</summary>
    public static bool IsNoHost(Exception exception) => exception is NpgsqlException { InnerException: null }
        && exception.Message.Contains("No suitable host", StringComparison.Ordinal);

    /// <summary>Describes a change that no standby has confirmed, although the server is set to wait for one.</summary>
    public StorageUnavailableException Unconfirmed(string what)
        => new($"{Place}: {what} failed. No synchronous standby has confirmed it in time, so that a failover could lose it. KestrelAcme "
            + "tries again. Check the standby, or synchronous_standby_names of the server.");

    /// <summary>Describes that two servers accept writes.</summary>
    public StorageUnavailableException TwoPrimaries(string what, string host, string other)
        => new($"{Place}: {what} failed. Both {Name(host)} and {Name(other)} accept writes, and what is stored at one is missing at the "
            + "other. Stop the one that is not the primary.");

    /// <summary>Describes a failure.</summary>
    /// <param name="what">What failed: "reading 'a/b'".</param>
    /// <param name="exception">The exception.</param>
    public StorageUnavailableException Describe(string what, Exception exception)
    {
        // With 'Include Error Detail', the server's details show the values of a row.
        var cause = exception is NpgsqlException && Find<PostgresException>(exception)?.Detail is null ? exception : null;
        return new($"{Place}: {what} failed. {ReasonOf(exception)}", cause);
    }

    private static string Name(string text) => QuotedText.Of(text, QuotedText.MaxNameLength);

    private static string Words(string text) => QuotedText.Words(text, QuotedText.MaxReplyLength);

    private string ReasonOf(Exception exception) => exception switch
    {
        PostgresException answer => ReasonOf(answer),
        NpgsqlException { InnerException: PostgresException answer } => ReasonOf(answer),
        NpgsqlException { InnerException: AggregateException hosts }
            => "No connection to a host that accepts writes could be opened, such as during a failover. KestrelAcme tries again. "
                + string.Join(' ', hosts.InnerExceptions.Select(ReasonOf).Distinct()),
        _ when Find<TimeoutException>(exception) is not null && exception.Message.Contains("pool", StringComparison.Ordinal)
            => "All connections of the app's pool are in use. Raise Maximum Pool Size, or find out what keeps connections open.",
        _ when Find<TimeoutException>(exception) is not null
            => "The server did not respond in time. Check that it is not overloaded, and that no firewall drops the connection.",
        _ when Find<SocketException>(exception) is { } socket
            => $"The server cannot be reached: {Words(socket.Message)}. Check Host and Port, and that the server runs.",
        _ when Find<System.Security.Authentication.AuthenticationException>(exception) is { } tls
            => $"TLS failed: {Words(tls.Message)} Check SSL Mode and Root Certificate.",
        NpgsqlException { InnerException: IOException }
            => "The connection was closed, such as by a restart of the server or by a proxy. KestrelAcme tries again.",
        _ when IsNoHost(exception)
            => "None of the hosts accepts writes at the moment, such as during a failover. KestrelAcme tries again.",
        NpgsqlException => $"{Words(exception.Message)}. Check the server and the connection string.",
        // Not from Npgsql, such as from a password provider of the app: its message could be anything.
        _ => $"{exception.GetType().Name} was thrown. Check the app's data source.",
    };

    private string ReasonOf(PostgresException answer)
    {
        var says = $"{Words(answer.MessageText)} (SQLSTATE {answer.SqlState})";
        return answer.SqlState switch
        {
            PostgresErrorCodes.ReadOnlySqlTransaction =>
                $"The server is a read-only standby: {says}. After a failover, connect to the new primary: list all hosts "
                + "in the connection string, or make the host name lead to the primary.",
            PostgresErrorCodes.TooManyConnections =>
                $"The server has no free connection: {says}. Raise max_connections, lower Maximum Pool Size of the instances, "
                + "or use a pooler such as PgBouncer.",
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow =>
                $"The server is stopping or starting: {says}. KestrelAcme tries again.",
            PostgresErrorCodes.DiskFull => $"The disk of the server is full: {says}. Free some space.",
            PostgresErrorCodes.OutOfMemory => $"The server has no memory left: {says}. Give it more memory, or fewer connections.",
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected =>
                $"Other transactions got in the way again and again: {says}. KestrelAcme tries again.",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"The user '{_user}' lacks a permission: {says}. Run this as the owner of the database '{_database}': "
                + $"{_schema.Script} {_schema.GrantsTo(_user.Replace("\"", "\"\"", StringComparison.Ordinal))}",
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName =>
                $"A table is missing: {says}. Run this as the owner of the database '{_database}': {_schema.Script}",
            PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.DatatypeMismatch =>
                $"A table has another shape than KestrelAcme's: {says}. Set Schema or TablePrefix to a name that nothing else uses.",
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                $"The server rejects the user '{_user}': {says}. Check the password, and the rules of pg_hba.conf.",
            PostgresErrorCodes.InvalidCatalogName =>
                $"The database does not exist: {says}. Create it, or correct Database in the connection string.",
            PostgresErrorCodes.ObjectNotInPrerequisiteState => $"The database accepts no connections: {says}. Ask its administrator.",
            PostgresErrorCodes.QueryCanceled =>
                $"The server ended the statement: {says}. Raise statement_timeout, or find out what blocks the tables.",
            PostgresErrorCodes.LockNotAvailable =>
                $"A table is locked: {says}. Find out what locks it, such as a backup or a migration.",
            _ => $"{says}. Look for the cause in the log of the server.",
        };
    }

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        while (exception is not null and not T)
        {
            exception = exception.InnerException;
        }

        return (T?)exception;
    }
}
