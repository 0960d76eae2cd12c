using System.Net.Sockets;
using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using StackExchange.Redis;
using Xunit;

namespace KestrelAcme.Redis.Tests;

public sealed class RedisFaultsTests
{
    private const string Password = "correct-horse-battery";
    private static readonly SentSecrets Secrets = new([Password]);

    [Theory]
    [InlineData("READONLY You can't write against a read only replica.", "read-only replica", "primary")]
    [InlineData("LOADING Redis is loading the dataset in memory", "still loading", "tries again")]
    [InlineData("OOM command not allowed when used memory > 'maxmemory'.", "reached maxmemory", "Raise maxmemory")]
    [InlineData("ERR Error running script: @user_script: 3: -OOM command not allowed", "reached maxmemory", "Raise maxmemory")]
    [InlineData("NOAUTH Authentication required.", "asks for a password", "user=...,password=...")]
    [InlineData("WRONGPASS invalid username-password pair or user is disabled.", "refuses the user or the password", "ACL LIST")]
    [InlineData("NOPERM this user has no permissions to run the 'get' command", "denies the user", "documentation")]
    [InlineData("ERR The user executing the script can't run this command or subcommand", "denies the user", "documentation")]
    [InlineData("CLUSTERDOWN Hash slot not served", "cluster that does not work", "redis-cli --cluster check")]
    [InlineData("MOVED 3999 127.0.0.1:6381", "node of a cluster", "cluster-announce-ip")]
    [InlineData("MASTERDOWN Link with MASTER is down", "lost its primary", "Check the primary")]
    [InlineData("MISCONF Redis is configured to save RDB snapshots", "cannot save its data", "disk is full")]
    [InlineData("NOREPLICAS Not enough good replicas to write.", "too few replicas", "Check the replicas")]
    [InlineData("BUSY Redis is busy running a script.", "busy with a script", "SCRIPT KILL")]
    [InlineData("ERR max number of clients reached", "too many clients", "maxclients")]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value", "holds something else", "KeyPrefix")]
    [InlineData("ERR something new", "refused the command: ERR something new", "tries again")]
    public void Unavailable_ServerError_SaysWhereWhatAndTheFix(string reply, string problem, string fix)
    {
        var message = Message(Lost(ConnectionFailureType.ProtocolFailure, Refused(reply)));
        Assert.StartsWith("Redis at redis.example.com:6379 ", message, StringComparison.Ordinal);
        Assert.Contains(problem, message, StringComparison.Ordinal);
        Assert.Contains(fix, message, StringComparison.Ordinal);
        Assert.Contains("(reading 'a')", message, StringComparison.Ordinal);
        Assert.DoesNotContain("a long text", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unavailable_OtherFailures_SayWhy()
    {
        var refused = Lost(ConnectionFailureType.UnableToConnect, new SocketException((int)SocketError.ConnectionRefused));
        Assert.Contains("could not be reached: Connection refused", Message(refused), StringComparison.Ordinal);
        var distrusted = Lost(ConnectionFailureType.AuthenticationFailure, new AuthenticationException("no trust"));
        Assert.Contains("TrustIssuer", Message(distrusted), StringComparison.Ordinal);
        var late = new RedisTimeoutException(CommandFlags.None, "x", CommandStatus.Unknown);
        Assert.Contains("did not respond in time", Message(late), StringComparison.Ordinal);
        Assert.Contains("connection is closed", Message(new ObjectDisposedException("x")), StringComparison.Ordinal);
        var database = new RedisCommandException("Multiple databases are not supported on this server; cannot switch to database: 3");
        Assert.Contains("only database 0", Message(database), StringComparison.Ordinal);
    }

    // Redis 5 and several proxies do not know HELLO or AUTH, and repeat what they were sent.
    [Theory]
    [InlineData($"ERR unknown command `HELLO`, with args beginning with: `3` `AUTH` `default` `{Password}`")]
    [InlineData("ERR unknown command 'AUTH', with args beginning with: 'another-password'")]
    [InlineData($"ERR bad {Password}")]
    public void Unavailable_ServerRepeatsThePassword_IsNotShown(string reply)
    {
        var exception = RedisFaults.Unavailable("redis.example.com:6379", "reading 'a'", Refused(reply), Secrets);
        Assert.DoesNotContain(Password, exception.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("another-password", exception.ToString(), StringComparison.Ordinal);
    }

    private static RedisServerException Refused(string reply) => new(RedisErrorKind.Unknown, CommandFlags.None, reply);

    private static RedisConnectionException Lost(ConnectionFailureType type, Exception cause)
        => new(type, CommandFlags.None, "a long text of the client", cause, CommandStatus.Unknown);

    private static string Message(Exception exception)
        => RedisFaults.Unavailable("redis.example.com:6379", "reading 'a'", exception, Secrets).Message;
}
