namespace KestrelAcme.Protocol;

/// <summary>
/// Spaces the requests to one authority so that they stay below the rates that it allows for one IP address. Share one instance among all
/// clients of the authority. Thread-safe.
/// </summary>
public sealed class AcmeRequestPace
{
    private readonly Dictionary<AcmeRequestKind, Bucket> _buckets = [];
    private readonly TimeProvider _time;

    /// <summary>Creates a pace.</summary>
    /// <param name="rates">The rates; a kind that is missing shares the rate of <see cref="AcmeRequestKind.Other"/>, and is not limited if
    /// that is missing too.</param>
    /// <param name="timeProvider">The clock; <see langword="null"/> for the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A rate is not more than zero, or a burst is less than one.</exception>
    public AcmeRequestPace(IReadOnlyDictionary<AcmeRequestKind, AcmeRate> rates, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(rates);
        _time = timeProvider ?? TimeProvider.System;
        var origin = _time.GetTimestamp();
        foreach (var (kind, rate) in rates)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate.PerSecond, nameof(rates));
            ArgumentOutOfRangeException.ThrowIfLessThan(rate.Burst, 1, nameof(rates));
            _buckets[kind] = new Bucket(rate, origin);
        }
    }

    /// <summary>Waits until a request may be sent. Each call reserves one request, also if its wait is canceled.</summary>
    /// <param name="kind">The kind of request.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitAsync(AcmeRequestKind kind, CancellationToken cancellationToken = default)
    {
        if (!_buckets.TryGetValue(kind, out var bucket) && !_buckets.TryGetValue(AcmeRequestKind.Other, out bucket))
        {
            return Task.CompletedTask;
        }

        var wait = bucket.Reserve(_time);
        return wait > TimeSpan.Zero ? Task.Delay(wait, _time, cancellationToken) : Task.CompletedTask;
    }

    /// <summary>A token bucket, kept as the time at which the last reserved request is due.</summary>
    private sealed class Bucket(AcmeRate rate, long origin)
    {
        private readonly Lock _gate = new();
        private readonly TimeSpan _interval = TimeSpan.FromSeconds(1 / rate.PerSecond);
        private TimeSpan _due = TimeSpan.MinValue;

        public TimeSpan Reserve(TimeProvider time)
        {
            lock (_gate)
            {
                var now = time.GetElapsedTime(origin);
                var full = now - (_interval * rate.Burst);
                _due = (_due > full ? _due : full) + _interval;
                return _due - now;
            }
        }
    }
}
