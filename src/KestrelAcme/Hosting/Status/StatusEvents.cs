using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Hosting.Status;

/// <summary>Keeps the last events in memory, and sends new ones to those who listen. Begins when the status page is mapped.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class StatusEvents
{
    /// <summary>More clients are turned away: each of them holds a connection.</summary>
    public const int MostListeners = 32;

    /// <summary>Events that are kept.</summary>
    public const int MostKept = 500;

    /// <summary>Events of a certificate that are shown.</summary>
    public const int MostShown = 5;

    // A slow client loses the oldest ones.
    private const int MostUnsent = 100;

    // Proxies keep the connection, and a lost client is noticed.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    // Then the client has to connect, and to be authorized, again.
    private static readonly TimeSpan LongestStream = TimeSpan.FromMinutes(15);

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<StatusEvent> _recent = new();
    private readonly HashSet<Listener> _listeners = [];

    public StatusEvents(CertificateEventHub hub, TimeProvider time)
    {
        _time = time;
        hub.Published += Add;
    }

    /// <summary>Returns the last events of all certificates, the latest first.</summary>
    public StatusEvent[] Recent()
    {
        lock (_gate)
        {
            var events = _recent.ToArray();
            Array.Reverse(events);
            return events;
        }
    }

    /// <summary>Starts to listen.</summary>
    /// <returns>The listener, to be disposed; <see langword="null"/> if there are too many.</returns>
    public Listener? TryListen()
    {
        lock (_gate)
        {
            if (_listeners.Count >= MostListeners)
            {
                return null;
            }

            var listener = new Listener(this);
            _listeners.Add(listener);
            return listener;
        }
    }

    private void Add(CertificateEvent happened)
    {
        var kept = new StatusEvent
        {
            Certificate = happened.CertificateId,
            Kind = happened.Kind,
            At = happened.At,
            Message = QuotedText.Words(happened.Message, QuotedText.MaxReplyLength),
        };
        lock (_gate)
        {
            if (_recent.Count == MostKept)
            {
                _recent.Dequeue();
            }

            _recent.Enqueue(kept);
            foreach (var listener in _listeners)
            {
                listener.Unsent.Writer.TryWrite(kept);
            }
        }
    }

    /// <summary>A client that gets the events as they happen.</summary>
    internal sealed class Listener(StatusEvents events) : IDisposable
    {
        public Channel<StatusEvent> Unsent { get; } = Channel.CreateBounded<StatusEvent>(
            new BoundedChannelOptions(MostUnsent) { FullMode = BoundedChannelFullMode.DropOldest });

        /// <summary>Returns events and heartbeats, until canceled or until the stream has lasted long enough.</summary>
        public async IAsyncEnumerable<SseItem<string>> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var (time, started) = (events._time, events._time.GetTimestamp());
            Task<bool>? next = null;
            yield return Beat();
            while (!cancellationToken.IsCancellationRequested && time.GetElapsedTime(started) < LongestStream)
            {
                if (Unsent.Reader.TryRead(out var happened))
                {
                    yield return new SseItem<string>(JsonSerializer.Serialize(happened, StatusJsonContext.Default.StatusEvent));
                    continue;
                }

                next = next is { IsCompleted: false } ? next : Unsent.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
                await ((Task)next).WaitAsync(Heartbeat, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!next.IsCompleted && !cancellationToken.IsCancellationRequested)
                {
                    yield return Beat();
                }
            }
        }

        public void Dispose()
        {
            lock (events._gate)
            {
                events._listeners.Remove(this);
            }
        }

        private static SseItem<string> Beat() => new("{}", "heartbeat") { ReconnectionInterval = TimeSpan.FromSeconds(5) };
    }
}
