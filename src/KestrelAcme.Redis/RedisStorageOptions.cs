using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Redis;

/// <summary>Options for storage in Redis. TLS, the user and the password belong to the connection.</summary>
/// <remarks>Read once, at the start.</remarks>
public sealed class RedisStorageOptions
{
    internal const string DefaultKeyPrefix = "kestrelacme";

    /// <summary>
    /// The start of all keys in Redis: 1 to 100 letters, digits, <c>.</c>, <c>_</c>, <c>-</c> and <c>:</c>. All instances of an app use the
    /// same prefix. Apps that share a Redis, but not their certificates, need different ones.
    /// </summary>
    /// <remarks>
    /// The prefix is also the hash tag: the keys are <c>{kestrelacme}:...</c>, so that Redis Cluster keeps all of them on one node.
    /// </remarks>
    /// <value><c>kestrelacme</c> by default.</value>
    public string KeyPrefix { get; set; } = DefaultKeyPrefix;

    /// <summary>The number of the database, 0 or higher. Redis Cluster has only database 0.</summary>
    /// <value><see langword="null"/> by default: the default database of the connection, which is 0 unless it is set there.</value>
    public int? Database { get; set; }
}

/// <summary>Checks <see cref="RedisStorageOptions"/> at the start.</summary>
internal sealed class RedisStorageOptionsValidator : IValidateOptions<RedisStorageOptions>
{
    private const int LongestPrefix = 100;

    public ValidateOptionsResult Validate(string? name, RedisStorageOptions options)
    {
        List<string> problems = [];
        if (!IsPrefix(options.KeyPrefix))
        {
            problems.Add(
                $"RedisStorageOptions.KeyPrefix is '{QuotedText.Of(options.KeyPrefix, QuotedText.MaxNameLength)}', which cannot be used "
                + $"as a hash tag: use 1 to {LongestPrefix} letters, digits, '.', '_', '-' and ':', such as "
                + $"'{RedisStorageOptions.DefaultKeyPrefix}'.");
        }

        if (options.Database < 0)
        {
            problems.Add(
                $"RedisStorageOptions.Database is {options.Database}, but databases are numbered from 0: "
                + "use 0 or higher, or leave it out for the connection's default.");
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static bool IsPrefix(string? prefix)
        => prefix?.Length is > 0 and <= LongestPrefix && prefix.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or ':');
}
