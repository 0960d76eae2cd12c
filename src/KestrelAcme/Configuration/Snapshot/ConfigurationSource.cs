using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>Holds the current configuration. Read <see cref="Current"/> each time: it is a single volatile read.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ConfigurationSource
{
    private readonly Lock _gate = new();
    private readonly Lazy<ConfigurationSnapshot> _first;
    private readonly ILogger<ConfigurationSource> _logger;
    private volatile ConfigurationSnapshot? _current;
    private Action<ConfigurationSnapshot>[] _listeners = [];

    /// <summary>Creates the source. The first snapshot is read on first use.</summary>
    public ConfigurationSource(Func<ConfigurationSnapshot> readFirst, ILogger<ConfigurationSource> logger)
    {
        _first = new Lazy<ConfigurationSnapshot>(readFirst);
        _logger = logger;
    }

    /// <summary>The current configuration.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">
    /// The configuration at start is not valid. After the first successful read, this property never throws.
    /// </exception>
    public ConfigurationSnapshot Current => _current ?? _first.Value;

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
