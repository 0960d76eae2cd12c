using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Configuration;

/// <summary>Follows changes of the configuration. A bad one changes nothing and is reported with all its problems; the last good one stays in force.</summary>
internal sealed class ConfigurationReloader : IHostedService, IDisposable
{
    /// <summary>How long a burst of changes may last to count as one: an editor, a mounted secret and a file watcher each signal several times.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly SnapshotReader _reader;
    private readonly ConfigurationSource _source;
    private readonly ILogger<ConfigurationReloader> _logger;
    private readonly IConfiguration? _configuration;
    private readonly ITimer _timer;
    private IDisposable? _subscription;
    private int _pending;

    /// <summary>Creates the reloader; it follows nothing before it is started.</summary>
    public ConfigurationReloader(SnapshotReader reader, ConfigurationSource source, TimeProvider timeProvider, ILogger<ConfigurationReloader> logger, IConfiguration? configuration = null)
    {
        _reader = reader;
        _source = source;
        _logger = logger;
        _configuration = configuration;
        _timer = timeProvider.CreateTimer(_ => Reload(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (_configuration is not null)
        {
            // The first snapshot is read before the first change can be missed or mistaken for it.
            _ = _source.Current;
            _subscription = ChangeToken.OnChange(_configuration.GetReloadToken, Signal);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _subscription?.Dispose();
        _timer.Dispose();
    }

    private void Signal()
    {
        if (Interlocked.Exchange(ref _pending, 1) == 0)
        {
            _timer.Change(Quiet, Timeout.InfiniteTimeSpan);
        }
    }

    private void Reload()
    {
        // Before reading, so that a change during the reading is read again.
        Volatile.Write(ref _pending, 0);
        lock (_gate)
        {
            try
            {
                Apply(_source.Current, _reader.ReadAgain());
            }
            catch (OptionsValidationException e)
            {
                _logger.ConfigurationReloadRejected(Quoted.Lines(e.Failures));
            }
            catch (Exception e)
            {
                // The app's own Configure callbacks and validators run here too.
                _logger.ConfigurationReloadFailed(e);
            }
        }
    }

    private void Apply(ConfigurationSnapshot current, ConfigurationSnapshot next)
    {
        var (effective, ignored) = RestartOnlySettings.Keep(current, next);
        foreach (var key in ignored)
        {
            _logger.SettingIgnoredUntilRestart(key);
        }

        if (effective == current)
        {
            return;
        }

        // A file caught half-written or gone reads as "no names". Nobody who means it is hurt by a restart.
        if (current.Certificates.Count > 0 && effective.Certificates.Count == 0)
        {
            _logger.ConfigurationWithoutNames(current.Certificates.Count);
            return;
        }

        _source.Publish(effective);
        _logger.ConfigurationReloaded(effective.Certificates.Count, effective.Authorities.Count);
    }
}
