using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>
/// The connection, made at the first use: a store that cannot be reached keeps no app from starting. StackExchange.Redis connects again by
/// itself. All failures become a <see cref="StorageUnavailableException"/>.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RedisConnection : IAsyncDisposable
{
    // While there is no connection, the first command waits for it, and the next ones fail at once: many in a row, as at the start, must
    // not wait one after the other. This long, so that the reason stays up to date.
    private static readonly TimeSpan OutageAge = TimeSpan.FromSeconds(30);

    private readonly Func<Task<IConnectionMultiplexer>> _connect;
    private readonly TimeProvider _time;
    private readonly bool _owned;
    private readonly Lock _gate = new();
    private ConfigurationOptions? _options;
    private Task<IConnectionMultiplexer>? _connecting;
    private bool _disposed;
    private Task<Exception?>? _refusal;
    private volatile Outage? _outage;

    private RedisConnection(
        Func<Task<IConnectionMultiplexer>> connect, TimeProvider time, ConfigurationOptions? options, bool owned)
        => (_connect, _time, _options, _owned) = (connect, time, options, owned);

    /// <summary>Where Redis is, without credentials.</summary>
    public string Place => RedisConnectionText.Show([.. _options?.EndPoints ?? []], _options?.Ssl == true);

    /// <summary>What comes before the names of channels, if the app's connection has such a setting.</summary>
    public string ChannelPrefix => (string?)(_options?.ChannelPrefix ?? default) ?? "";

    /// <summary>A connection of the store's own.</summary>
    public static RedisConnection Own(ConfigurationOptions options, TimeProvider time)
    {
        var own = options.Clone();
        // The app starts without Redis, and the connection is made when Redis is there.
        own.AbortOnConnectFail = false;
        // Lets the client ask for the settings of the server. What the user may do is for the server to decide.
        own.AllowAdmin = true;
        // Does not read a key of its own, for which the user has no rights, to choose between two primaries.
        own.TieBreaker = "";
        return new(async () => await ConnectionMultiplexer.ConnectAsync(own), time, own, owned: true);
    }

    /// <summary>A connection of the app's, which is never closed here.</summary>
    public static RedisConnection Borrow(Func<IConnectionMultiplexer> find, TimeProvider time)
        => new(() => Task.FromResult(find()), time, options: null, owned: false);

    /// <summary>Runs a command.</summary>
    /// <param name="what">What it does, for the message of a failure.</param>
    /// <param name="command">The command.</param>
    /// <param name="cancellationToken">Ends the wait; the command may still take effect.</param>
    /// <exception cref="StorageUnavailableException">The command failed, for whatever reason.</exception>
    public async Task<T> RunAsync<T>(string what, Func<IConnectionMultiplexer, Task<T>> command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IConnectionMultiplexer? connection = null;
        Task<Exception?>? refusal = null;
        try
        {
            connection = await Abandonable(ConnectAsync(), cancellationToken);
            if (connection.IsConnected)
            {
                _outage = null;
            }
            else if (_outage is { } outage && _time.GetElapsedTime(outage.Since) < OutageAge)
            {
                throw Unavailable(what, outage.Cause);
            }
            else
            {
                refusal = FindRefusalAsync();
            }

            return await Abandonable(command(connection), cancellationToken);
        }
        catch (Exception exception) when (exception is not StorageUnavailableException
            && (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested))
        {
            var cause = refusal is null ? exception : await Abandonable(refusal, cancellationToken) ?? exception;
            if (connection is { IsConnected: false })
            {
                _outage = new(cause, _time.GetTimestamp());
            }

            throw Unavailable(what, cause);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<IConnectionMultiplexer>? connecting;
        lock (_gate)
        {
            (connecting, _disposed) = (_disposed ? null : _connecting, true);
        }

        if (connecting is not null && _owned)
        {
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (connecting.IsCompletedSuccessfully)
            {
                await connecting.Result.DisposeAsync();
            }
        }
    }

    private StorageUnavailableException Unavailable(string what, Exception exception)
        => RedisFaults.Unavailable(Place, what, exception, new SentSecrets([_options?.Password, _options?.SentinelPassword]));

    // One for all commands that fail at the same time.
    private Task<Exception?> FindRefusalAsync()
    {
        lock (_gate)
        {
            if (_refusal is null or { IsCompleted: true })
            {
                _refusal = FindRefusalOnceAsync();
            }

            return _refusal;
        }
    }

    // A connection that the server refuses is closed, too. Which of the two the client reports is a matter of chance, and after a failure
    // of another kind it reports neither. Another connection, which is made only to be refused, tells it.
    private async Task<Exception?> FindRefusalOnceAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (!_owned || _options is not { } options)
        {
            return null;
        }

        options = options.Clone();
        (options.AbortOnConnectFail, options.ConnectRetry) = (true, 1);
        try
        {
            await using var connection = await ConnectionMultiplexer.ConnectAsync(options);
            return null;
        }
        catch (Exception exception)
        {
            return RedisFaults.IsRefusal(exception) ? exception : null;
        }
    }

    private Task<IConnectionMultiplexer> ConnectAsync()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connecting is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _connecting = ConnectOnceAsync();
            }

            return _connecting;
        }
    }

    private async Task<IConnectionMultiplexer> ConnectOnceAsync()
    {
        // Without the lock: the app's code may take long.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var connection = await _connect();
        _options ??= OptionsOf(connection);
        return connection;
    }

    // For messages without passwords, the place, and the prefix of channels.
    private static ConfigurationOptions OptionsOf(IConnectionMultiplexer connection)
    {
        try
        {
            return ConfigurationOptions.Parse(connection.Configuration, ignoreUnknown: true);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            // Not every setting can be written as a text.
            var options = new ConfigurationOptions();
            foreach (var endpoint in connection.GetEndPoints(configuredOnly: true))
            {
                options.EndPoints.Add(endpoint);
            }

            return options;
        }
    }

    // StackExchange.Redis takes no tokens; its commands end by its own timeouts.
    private static async Task<T> Abandonable<T>(Task<T> task, CancellationToken cancellationToken)
    {
        if (!task.IsCompleted && cancellationToken.CanBeCanceled)
        {
            _ = task.ContinueWith(
                static failed => _ = failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }

        return await task.WaitAsync(cancellationToken);
    }

    private sealed record Outage(Exception Cause, long Since);
}
