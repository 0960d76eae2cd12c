using System.Collections.Concurrent;
using System.Globalization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Npgsql;

namespace KestrelAcme.PostgreSql;

/// <summary>
/// Follows the changes of all instances: at once by <c>LISTEN</c> on a connection of its own, and by reading the version counter from time
/// to time.
/// </summary>
internal sealed class PostgreSqlFollower(
    PostgreSqlDatabase database, PostgreSqlStorageOptions options, TimeProvider time)
{
    /// <inheritdoc cref="FollowChanges"/>
    public Task RunAsync(Action activate, Action<StorageChange> post, CancellationToken stop)
        => options.ListenForChanges ? ListenAsync(activate, post, stop) : PollAsync(activate, post, stop);

    private async Task ListenAsync(Action activate, Action<StorageChange> post, CancellationToken stop)
    {
        await using var connection = await database.OpenAsync(stop);
        var received = new ConcurrentQueue<string>();
        connection.Notification += (_, notification) => received.Enqueue(notification.Payload);
        await connection.ScalarAsync($"LISTEN \"{database.Schema.Channel}\"", stop);
        var last = await ReadPositionAsync(connection, stop);
        activate();
        while (true)
        {
            var isQuiet = !await WaitAsync(connection, stop);
            last = Report(received, last, post);
            if (isQuiet)
            {
                await ThrowIfElsewhereAsync(connection, last, stop);

                // Also shows that the connection still works.
                last = await CatchUpAsync(connection, last, post, stop);
            }
        }
    }

    // Npgsql goes back to the first host if that accepts writes again, and leaves this connection where it is. Two hosts may also be
    // poolers of one server, which its start shows.
    private async Task ThrowIfElsewhereAsync(NpgsqlConnection connection, Position last, CancellationToken cancellationToken)
    {
        if (!database.HasSeveralHosts)
        {
            return;
        }

        var here = HostOf(connection);
        (string Host, DateTime ServerStart) now;
        try
        {
            now = await database.RunAsync(
                "watching for changes",
                async (other, token) => HostOf(other) is var host && host == here
                    ? (host, last.ServerStart)
                    : (host, (await ReadPositionAsync(other, token)).ServerStart),
                cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            // This connection may still work.
            return;
        }

        if (now.ServerStart != last.ServerStart)
        {
            throw database.TwoPrimaries("watching for changes", here, now.Host);
        }
    }

    private async Task<bool> WaitAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        using var due = new TimeLimit(options.PollInterval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, stop);
        try
        {
            await connection.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task PollAsync(Action activate, Action<StorageChange> post, CancellationToken stop)
    {
        var last = await database.RunAsync("watching for changes", ReadPositionAsync, stop);
        activate();
        while (true)
        {
            await Task.Delay(options.PollInterval, time, stop);
            last = await database.RunAsync(
                "watching for changes", (connection, token) => CatchUpAsync(connection, last, post, token), stop);
        }
    }

    // Notifications arrive in the order of their versions, because the counter is locked until the commit.
    private static Position Report(ConcurrentQueue<string> received, Position last, Action<StorageChange> post)
    {
        while (received.TryDequeue(out var payload))
        {
            var space = payload.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !long.TryParse(payload.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            {
                // From somebody else.
                continue;
            }

            if (version <= last.Version)
            {
                continue;
            }

            post(version == last.Version + 1 ? new(payload[(space + 1)..]) : StorageChange.Everything);
            last = last with { Version = version };
        }

        return last;
    }

    private async Task<Position> CatchUpAsync(
        NpgsqlConnection connection, Position last, Action<StorageChange> post, CancellationToken cancellationToken)
    {
        var now = await ReadPositionAsync(connection, cancellationToken);
        if (now == last)
        {
            return last;
        }

        if (!now.Follows(last))
        {
            post(StorageChange.Everything);
            return now;
        }

        var changes = await connection.RowsAsync(
            database.Schema.ChangedSince,
            static row => (Key: row.GetString(0), Version: row.GetInt64(1)),
            cancellationToken,
            PostgreSqlCommands.Number(last.Version!.Value));
        foreach (var (key, version) in changes)
        {
            post(new(key));
            now = now with { Version = Math.Max(now.Version!.Value, version) };
        }

        return now;
    }

    private static string HostOf(NpgsqlConnection connection) => $"{connection.Host}:{connection.Port}";

    private async Task<Position> ReadPositionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var rows = await connection.RowsAsync(
            database.Schema.Position,
            static row => new Position(row.IsDBNull(0) ? null : row.GetInt64(0), row.GetDateTime(1)),
            cancellationToken);
        return rows[0];
    }

    /// <summary>The last change that was seen, and the start of the server that it was seen at.</summary>
    private readonly record struct Position(long? Version, DateTime ServerStart)
    {
        /// <summary>
        /// Whether the table shows all changes in between: not after a failover, which may have lost some, nor if the store was emptied,
        /// restored from a backup, or changed too much.
        /// </summary>
        public bool Follows(Position last)
            => ServerStart == last.ServerStart && Version >= last.Version && Version - last.Version <= PostgreSqlSchema.MaxBehind;
    }
}
