using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>Holds the current configuration. Read <see cref="Current"/> each time: it is a single volatile read.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ConfigurationSource
{
    private readonly Lock _gate = new();
    private readonly Lazy<(ConfigurationSnapshot Snapshot, IReadOnlyList<string> Problems)> _first;
    private readonly ILogger<ConfigurationSource> _logger;
    private volatile ConfigurationSnapshot? _current;
    private Action<ConfigurationSnapshot>[] _listeners = [];

    /// <summary>Creates the source.</summary>
    /// <param name="readFirst">
    /// Reads the first snapshot, on first use. Throws <see cref="OptionsValidationException"/> if the options are not valid.
    /// </param>
    /// <param name="logger">Logs what a listener throws.</param>
    public ConfigurationSource(Func<ConfigurationSnapshot> readFirst, ILogger<ConfigurationSource> logger)
    {
        _first = new(() => ReadFirst(readFirst));
        _logger = logger;
    }

    /// <summary>
    /// The current configuration: <see cref="ConfigurationSnapshot.Disabled"/> if the one at start is not valid. Such an
    /// app can be built, and be examined by the doctor, but its start fails with <see cref="Problems"/>.
    /// </summary>
    public ConfigurationSnapshot Current => _current ?? _first.Value.Snapshot;

    /// <summary>The problems of the configuration at start, a line for each; empty if it is valid.</summary>
    public IReadOnlyList<string> Problems => _first.Value.Problems;

    /// <summary>
    /// Calls a listener with each new snapshot, until the returned object is disposed. Calls do not overlap. Exceptions are logged.
    /// </summary>
    public IDisposable OnChange(Action<ConfigurationSnapshot> listener)
    {
        lock (_gate)
        {
            _listeners = [.. _listeners, listener];
        }

        return new Subscription(this, listener);
    }

    /// <summary>Makes a snapshot the current one and notifies the listeners.</summary>
    public void Publish(ConfigurationSnapshot snapshot)
    {
        Action<ConfigurationSnapshot>[] listeners;
        lock (_gate)
        {
            _current = snapshot;
            listeners = _listeners;
        }

        foreach (var listener in listeners)
        {
            try
            {
                listener(snapshot);
            }
            catch (Exception e)
            {
                _logger.ConfigurationListenerFailed(e);
            }
        }
    }

    private static (ConfigurationSnapshot Snapshot, IReadOnlyList<string> Problems) ReadFirst(Func<ConfigurationSnapshot> read)
    {
        try
        {
            return (read(), []);
        }
        catch (OptionsValidationException exception)
        {
            return (ConfigurationSnapshot.Disabled, [.. exception.Failures]);
        }
    }

    private void Remove(Action<ConfigurationSnapshot> listener)
    {
        lock (_gate)
        {
            // Only one, if several subscriptions have the same delegate.
            var at = Array.IndexOf(_listeners, listener);
            _listeners = at < 0 ? _listeners : [.. _listeners[..at], .. _listeners[(at + 1)..]];
        }
    }

    private sealed class Subscription(ConfigurationSource source, Action<ConfigurationSnapshot> listener) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _disposed, true))
            {
                source.Remove(listener);
            }
        }
    }
}
