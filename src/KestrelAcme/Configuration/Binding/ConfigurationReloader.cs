using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Applies configuration changes while the app runs. An invalid configuration changes nothing: all its problems are reported, and the last
/// valid one stays in use.
/// </summary>
internal sealed class ConfigurationReloader : IHostedService, IDisposable
{
    /// <summary>
    /// The time without changes before the configuration is read: a deployment deletes a file, writes it, then writes the next one.
    /// </summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    /// <summary>The longest time that repeated changes can delay the reading.</summary>
    internal static readonly TimeSpan LongestQuiet = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Lock _signals = new();
    private readonly SnapshotReader _reader;
    private readonly ConfigurationSource _source;
    private readonly ConfigurationLayers _layers;
    private readonly TimeProvider _time;
    private readonly ILogger<ConfigurationReloader> _logger;
    private readonly IConfiguration? _configuration;
    private readonly ITimer _timer;
    private readonly ITimer _look;
    private IDisposable? _subscription;
    private long? _firstSignal;
    private bool _lossSeen;
    private bool _isRetry;
    private IReadOnlyList<string> _rejected = [];
    private IReadOnlyList<string> _lost = [];
    private IReadOnlyList<string> _kept = [];
    private IReadOnlyList<string> _mixed = [];

    /// <summary>Creates the reloader. It does nothing until it is started.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid: nothing of the app may be started.</exception>
    public ConfigurationReloader(
        SnapshotReader reader,
        ConfigurationSource source,
        ConfigurationLayers layers,
        TimeProvider timeProvider,
        ILogger<ConfigurationReloader> logger)
    {
        _reader = reader;
        _source = source;
        _layers = layers;
        _time = timeProvider;
        _logger = logger;
        _configuration = layers.Configuration;
        reader.ThrowIfInvalid();
        _timer = timeProvider.CreateTimer(_ => Reload(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _look = timeProvider.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Reads the first snapshot now, so that the first change is neither missed nor mistaken for it.
        if (_configuration is null || !_source.Current.Enabled)
        {
            return Task.CompletedTask;
        }

        if (_reader.FirstReading is { } reading)
        {
            _layers.Accept(reading);
            Report(reading);
        }

        _subscription = ChangeToken.OnChange(_configuration.GetReloadToken, Signal);

        // It may have changed while the app and its other services were starting, which can take minutes.
        if (_reader.FirstReading is { Changes.HasChanged: true })
        {
            Signal();
        }

        _look.Change(LookInterval, LookInterval);
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
        _look.Dispose();
    }

    private void Signal() => Signal(isRetry: false);

    private void Signal(bool isRetry)
    {
        lock (_signals)
        {
            _isRetry = isRetry && (_isRetry || _firstSignal is null);

            // Each signal restarts the quiet time, within the limit.
            _firstSignal ??= _time.GetTimestamp();
            var rest = LongestQuiet - _time.GetElapsedTime(_firstSignal.Value);
            _timer.Change(rest < TimeSpan.Zero ? TimeSpan.Zero : rest < Quiet ? rest : Quiet, Timeout.InfiniteTimeSpan);
        }
    }

    // A file that can no longer be parsed loses its values without a signal. What was rejected may be valid once a file that it names is
    // there.
    private void Look()
    {
        if (!_lossSeen && _layers.HasLostSource())
        {
            _lossSeen = true;
            Signal();
        }
        else if (Volatile.Read(ref _rejected).Count > 0)
        {
            Signal(isRetry: true);
        }
    }

    private void Reload()
    {
        // Reset before reading, so that a change during the reading causes another one.
        bool isRetry;
        lock (_signals)
        {
            (_firstSignal, isRetry, _isRetry) = (null, _isRetry, false);
        }

        lock (_gate)
        {
            try
            {
                var (next, reading) = _reader.ReadAgain();
                Volatile.Write(ref _rejected, []);
                if (reading is not null)
                {
                    Report(reading);
                }

                if (Apply(_source.Current, next) && reading is not null)
                {
                    _layers.Accept(reading);
                    _lossSeen = false;
                }
            }
            catch (OptionsValidationException e)
            {
                List<string> failures = [.. e.Failures.Select(failure => failure.Trim())];
                if (!isRetry || !failures.SequenceEqual(_rejected))
                {
                    _logger.ConfigurationReloadRejected(Quoted.Lines(failures));
                }

                Volatile.Write(ref _rejected, failures);
            }
            catch (Exception e)
            {
                // The app's own Configure callbacks and validators run here, too.
                Volatile.Write(ref _rejected, []);
                _logger.ConfigurationReloadFailed(e);
            }
        }
    }

    /// <returns>Whether the configuration is in use now.</returns>
    private bool Apply(ConfigurationSnapshot current, ConfigurationSnapshot next)
    {
        var (effective, ignored) = AcmeHttpsOptionsReader.KeepUntilRestart(current, next);
        foreach (var key in ignored)
        {
            _logger.SettingIgnoredUntilRestart(key);
        }

        if (effective == current)
        {
            return true;
        }

        // If all names vanish at once, it is most likely a mistake. If it is intended, a restart does no harm.
        if (current.Certificates.Count > 0 && effective.Certificates.Count == 0)
        {
            _logger.ConfigurationWithoutNames(current.Certificates.Count);
            return false;
        }

        _source.Publish(effective);
        var authorities = effective.Authorities.Count == 0
            ? "no CA"
            : string.Join(", then ", effective.Authorities.Select(authority => authority.DisplayName));
        _logger.ConfigurationReloaded(effective.Certificates.Count, authorities);
        return true;
    }

    // Reports each condition once, for as long as it lasts.
    private void Report(LayeredConfiguration reading)
    {
        foreach (var source in reading.LostSources.Except(_lost))
        {
            _logger.ConfigurationSourceLost(source);
        }

        foreach (var source in _lost.Except(reading.LostSources))
        {
            _logger.ConfigurationSourceBack(source);
        }

        if (reading.KeptKeys.Except(_kept).Any())
        {
            _logger.ConfigurationKeysKept(string.Join(", ", reading.KeptKeys.Take(20)));
        }

        var mixed = reading.MixedLists;
        foreach (var list in mixed.Except(_mixed))
        {
            _logger.ConfigurationListMixed(list);
        }

        (_lost, _kept, _mixed) = (reading.LostSources, reading.KeptKeys, mixed);
    }
}
