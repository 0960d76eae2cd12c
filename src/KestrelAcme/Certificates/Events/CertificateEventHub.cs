using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Events;

/// <summary>Delivers events to watchers and to the event handlers of the application. Never waits for either.</summary>
internal sealed class CertificateEventHub(
    Func<IEnumerable<ICertificateEventHandler>> handlers, TimeProvider time, ILogger<CertificateEventHub> logger)
{
    private const int MaxBehind = 1000;
    private static readonly TimeSpan HandlerTime = TimeSpan.FromMinutes(1);

    private readonly Lazy<ICertificateEventHandler[]> _handlers = new(() => [.. handlers()]);
    private readonly ConcurrentDictionary<Channel<CertificateEvent>, byte> _watchers = new();

    /// <summary>Raised for each event before anybody else is told. Handlers return at once and do not throw.</summary>
    public event Action<CertificateEvent>? Published;

    /// <summary>
    /// Creates the handlers: not earlier, because they may need the certificate manager, and not later, so that one that cannot be created
    /// is noticed at the start.
    /// </summary>
    public void CreateHandlers() => _ = _handlers.Value;

    public void Publish(CertificateEventKind kind, string message, CertificateStatus status)
    {
        var happened = new CertificateEvent(kind, status.Id, time.GetUtcNow(), QuotedText.Of(message), status);
        Published?.Invoke(happened);
        foreach (var watcher in _watchers.Keys)
        {
            watcher.Writer.TryWrite(happened);
        }

        foreach (var handler in _handlers.Value)
        {
            _ = NotifyAsync(handler, happened);
        }
    }

    public async IAsyncEnumerable<CertificateEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateBounded<CertificateEvent>(
            new BoundedChannelOptions(MaxBehind) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        _watchers.TryAdd(channel, 0);
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return happened;
            }
        }
        finally
        {
            _watchers.TryRemove(channel, out _);
        }
    }

    private async Task NotifyAsync(ICertificateEventHandler handler, CertificateEvent happened)
    {
        await Task.Yield();
        try
        {
            using var limit = new TimeLimit(HandlerTime, time);
            await (happened.Kind switch
            {
                CertificateEventKind.Obtained => handler.OnObtainedAsync(happened.Status, limit.Token),
                CertificateEventKind.Renewed => handler.OnRenewedAsync(happened.Status, limit.Token),
                CertificateEventKind.Failed => handler.OnFailedAsync(happened.Status, limit.Token),
                CertificateEventKind.Revoked => handler.OnRevokedAsync(happened.Status, limit.Token),
                CertificateEventKind.Expiring => handler.OnExpiringAsync(happened.Status, limit.Token),
                _ => Task.CompletedTask,
            });
        }
        catch (Exception exception)
        {
            logger.EventHandlerFailed(handler.GetType().Name, happened.Kind.ToString(), exception);
        }
    }
}
