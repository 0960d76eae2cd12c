using System.Net.Sockets;
using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>Says in plain words why Redis did not do something, and what to do. Never shows a password.</summary>
internal static class RedisFaults
{
    // An old server repeats the arguments of a command that it does not know, such as HELLO with the password.
    private const string Arguments = "with args beginning with";
    private const string Waits = "KestrelAcme tries again; nothing needs to be done if this passes.";

    private const string Unreachable =
        "Check that Redis runs, and that the address, the port, firewalls and TLS (ssl=true) are right. KestrelAcme tries again.";

    private const string Rights = "Give the user the commands, keys and channels that the documentation of KestrelAcme lists for Redis.";

    private const string Login = "Check user and password of the connection (user=...,password=...), and the users of Redis (ACL LIST).";

    // What the server's error starts with or, within a script, contains.
    private static readonly (string Code, string Problem, string Fix)[] Known =
    [
        ("READONLY", "is a read-only replica and refuses to write",
            "Connect to the primary: name all servers in the connection string, or Sentinel's service name. After a fail-over, this "
            + "passes."),
        ("LOADING", "is still loading its data", Waits),
        ("MASTERDOWN", "is a replica that has lost its primary", "Check the primary. " + Waits),
        ("OOM ", "has reached maxmemory and refuses to write",
            "Raise maxmemory, or remove data of other apps. Keep maxmemory-policy at noeviction."),
        ("MISCONF", "cannot save its data to the disk and refuses to write",
            "See the log of Redis: usually the disk is full, or the folder (dir) is not writable."),
        ("WRONGPASS", "refuses the user or the password", Login),
        ("NOAUTH", "asks for a password", Login),
        ("NOPERM", "denies the user a command, a key or a channel", Rights),
        ("The user executing the script can't", "denies the user a command, a key or a channel", Rights),
        ("CLUSTERDOWN", "is a cluster that does not work at present", "Check its nodes and slots (redis-cli --cluster check). " + Waits),
        ("MOVED", "is a node of a cluster, and the node that holds the keys could not be reached",
            "Make all nodes reachable under the addresses that they announce (cluster-announce-ip)."),
        ("ASK ", "is a cluster that is moving the keys between nodes", Waits),
        ("TRYAGAIN", "is a cluster that is moving the keys between nodes", Waits),
        ("NOREPLICAS", "has too few replicas (min-replicas-to-write) and refuses to write", "Check the replicas. " + Waits),
        ("BUSY", "is busy with a script", "If this does not pass, end the script of the other app (SCRIPT KILL)."),
        ("UNKILLABLE", "is busy with a script", Waits),
        ("max number of clients", "has too many clients", "Raise maxclients, or end clients that are not needed."),
        ("unknown command", "does not know a command",
            "Use Redis 6.0 or later, or a compatible server, in which EVAL and pub/sub are not disabled."),
        ("WRONGTYPE", "holds something else under one of the keys", "Choose a KeyPrefix that no other app uses."),
    ];

    /// <summary>The exception for a command that failed.</summary>
    /// <param name="place">Where Redis is.</param>
    /// <param name="what">What was not done.</param>
    /// <param name="exception">The cause. It becomes the inner exception only if it cannot contain a password.</param>
    /// <param name="secrets">The passwords of the connection.</param>
    public static StorageUnavailableException Unavailable(string place, string what, Exception exception, SentSecrets secrets)
    {
        var (problem, fix) = Explain([.. Chain(exception)], secrets);
        var isSafe = !exception.ToString().Contains(Arguments, StringComparison.OrdinalIgnoreCase);
        return new($"Redis at {place} {problem} ({what}). {fix}", isSafe ? secrets.Cause(exception) : null);
    }

    /// <summary>Whether the server said why it closes a connection.</summary>
    public static bool IsRefusal(Exception exception) => Chain(exception).Any(static cause => cause is RedisServerException
        or RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure });

    private static (string Problem, string Fix) Explain(Exception[] chain, SentSecrets secrets)
    {
        foreach (var reply in chain.OfType<RedisServerException>().Select(error => error.Message))
        {
            var known = Array.Find(Known, known => reply.Contains(known.Code, StringComparison.Ordinal));
            return known.Code is null
                ? ($"refused the command: {Quote(reply, secrets)}", "KestrelAcme tries again.")
                : ($"{known.Problem}: {Quote(reply, secrets)}", known.Fix);
        }

        if (chain.OfType<AuthenticationException>().FirstOrDefault() is { } tls)
        {
            return (
                $"could not be reached over TLS: {Quote(tls.Message, secrets)}",
                "Check that the port speaks TLS, and that this machine trusts the certificate for this name. A private CA can be trusted "
                + "with ConfigurationOptions.TrustIssuer, another name set with sslHost.");
        }

        // The connection is closed after that, which may be the last cause.
        var connection = chain.OfType<RedisConnectionException>().LastOrDefault();
        if (chain.OfType<RedisConnectionException>().Any(c => c.FailureType == ConnectionFailureType.AuthenticationFailure))
        {
            return ("refuses the user or the password, or could not agree on TLS", Login);
        }

        return chain[^1] switch
        {
            SocketException socket => ($"could not be reached: {Quote(socket.Message, secrets)}", Unreachable),
            RedisConnectionException or ObjectDisposedException when connection is not null
                => ($"could not be reached ({connection.FailureType})", Unreachable),
            RedisTimeoutException or TimeoutException => ("did not respond in time", Unreachable),
            RedisCommandException command when command.Message.Contains("databases", StringComparison.Ordinal)
                => (
                    "has only database 0, as a cluster does",
                    "Leave out RedisStorageOptions.Database and defaultDatabase, or set them to 0."),
            RedisCommandException command => ($"was not asked: {Quote(command.Message, secrets)}", "Check the connection's settings."),
            ObjectDisposedException
                => ("was not asked, because the connection is closed", "Do not dispose the app's connection before the app."),
            var other => ($"could not be reached: {Quote(other.Message, secrets)}", Unreachable),
        };
    }

    private static string Quote(string reply, SentSecrets secrets)
    {
        var end = reply.IndexOf(Arguments, StringComparison.OrdinalIgnoreCase);
        return secrets.Quote(end < 0 ? reply : reply[..end]).TrimEnd('.', ' ', ',');
    }

    private static IEnumerable<Exception> Chain(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }
}
