using System.Globalization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using StackExchange.Redis;

namespace KestrelAcme.Redis;

/// <summary>
/// Subscribes to changes, again after each lost connection, and compares the version once a minute: pub/sub loses messages, and some
/// servers and users have none.
/// </summary>
internal sealed class RedisFollower(RedisStorage storage, RedisKeys keys, RedisChangeHub hub, TimeProvider time)
{
    /// <summary>How often the version is compared.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // The connection may be back a moment before the subscription is.
    private static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(5);

    // Neither is ever disposed: events of the connection may come late.
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _active = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _pause;
    private IConnectionMultiplexer? _connection;
    private ChannelMessageQueue? _queue;
    private int _gap = 1;
    private int _restored;

    /// <summary>Completes when changes are followed, or cannot be at present: then, everything is reported once they are.</summary>
    public Task Active => _active.Task;

    /// <summary>Whether Redis reports changes at once.</summary>
    public bool IsSubscribed => Volatile.Read(ref _queue) is not null;

    public void Start() => _ = Task.Run(RunAsync, CancellationToken.None);

    public void Stop() => _ = _stop.CancelQuietlyAsync();

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var interval = await FollowAsync() ? FirstInterval : Interval;
            _active.TrySetResult();
            await PauseAsync(interval);
        }

        await UnsubscribeAsync(Interlocked.Exchange(ref _queue, null));
        if (_connection is not null)
        {
            _connection.ConnectionFailed -= OnFailed;
            _connection.ConnectionRestored -= OnRestored;
        }
    }

    /// <summary>Subscribes if needed, and compares the version.</summary>
    /// <returns>Whether it has just subscribed.</returns>
    private async Task<bool> FollowAsync()
    {
        var isGap = Interlocked.Exchange(ref _gap, 0) == 1;
        var again = Interlocked.Exchange(ref _restored, 0) == 1;
        try
        {
            var subscribed = (isGap || again || _queue is null) && await TrySubscribeAsync();
            if (subscribed && again && !isGap)
            {
                // Nothing was missed, as far as is known. The next look, which is soon, makes sure.
                return true;
            }

            var version = await storage.RunAsync(
                "looking for changes", db => db.StringGetAsync(keys.Version, CommandFlags.DemandMaster), _stop.Token);
            _ = long.TryParse((string?)version, NumberStyles.None, CultureInfo.InvariantCulture, out var number);

            // Who has just begun to watch reads everything anyway.
            hub.OnVersion(number, isGap && _active.Task.IsCompleted);
            return subscribed;
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            Interlocked.Exchange(ref _gap, 1);
            return false;
        }
    }

    private async Task<bool> TrySubscribeAsync()
    {
        var before = Interlocked.Exchange(ref _queue, null);
        try
        {
            var queue = await storage.RunAsync(
                "subscribing to changes",
                db =>
                {
                    Attach(db.Multiplexer);
                    return db.Multiplexer.GetSubscriber().SubscribeAsync(RedisChannel.Literal(keys.Channel(db.Database)));
                },
                _stop.Token);
            queue.OnMessage(message => hub.OnMessage(message.Message));
            Volatile.Write(ref _queue, queue);
            return true;
        }
        catch (StorageUnavailableException)
        {
            // Without a subscription, the poll reports changes.
            return false;
        }
        finally
        {
            // Only now, so that no message is lost if the connection was there all the time.
            await UnsubscribeAsync(before);
        }
    }

    private void Attach(IConnectionMultiplexer connection)
    {
        if (_connection is null)
        {
            _connection = connection;
            connection.ConnectionFailed += OnFailed;
            connection.ConnectionRestored += OnRestored;
        }
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs e) => Interlocked.Exchange(ref _gap, 1);

    // Also raised, late, for the first connection, which misses nothing: only after a failure is everything reported.
    private void OnRestored(object? sender, ConnectionFailedEventArgs e)
    {
        Interlocked.Exchange(ref _restored, 1);
        Volatile.Read(ref _pause)?.CancelQuietly();
    }

    private static async Task UnsubscribeAsync(ChannelMessageQueue? queue)
    {
        try
        {
            await (queue?.UnsubscribeAsync(CommandFlags.FireAndForget) ?? Task.CompletedTask);
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or TimeoutException)
        {
            // The connection is gone, and the subscription with it.
        }
    }

    private async Task PauseAsync(TimeSpan interval)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Volatile.Write(ref _pause, pause);
        if (Volatile.Read(ref _restored) == 0)
        {
            await Task.Delay(interval, time, pause.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
