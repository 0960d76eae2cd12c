namespace KestrelAcme.Protocol;

/// <summary>
/// Limits the rate of requests to one CA so that they stay below its limits per IP address. Share one instance among all clients of the
/// CA. Thread-safe.
/// </summary>
public sealed class AcmeRequestPace
{
    private readonly Dictionary<AcmeRequestKind, Bucket> _buckets = [];
    private readonly TimeProvider _time;

    /// <summary>Creates a pace.</summary>
    /// <param name="rates">
    /// The rates. A kind without a rate of its own shares the rate of <see cref="AcmeRequestKind.Other"/>; if that is missing, too, the
    /// kind is not limited.
    /// </param>
    /// <param name="timeProvider">The clock; <see langword="null"/> for the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A rate is not positive, or a burst is less than one.</exception>
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

    /// <summary>Waits until a request may be sent. Each call reserves one request, even if its wait is canceled.</summary>
    /// <param name="kind">The kind of request.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
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

/// <summary>A rate of requests.</summary>
/// <param name="PerSecond">Requests per second in the long run; must be positive.</param>
/// <param name="Burst">How many requests may be sent at once after a pause; at least one.</param>
public readonly record struct AcmeRate(double PerSecond, int Burst);

/// <summary>Kinds of requests that CAs limit separately.</summary>
public enum AcmeRequestKind
{
    /// <summary>All other requests: accounts, orders, authorizations, challenges, certificates.</summary>
    Other,

    /// <summary>The directory.</summary>
    Directory,

    /// <summary>A nonce.</summary>
    NewNonce,

    /// <summary>Creating or finding an account.</summary>
    NewAccount,

    /// <summary>A new order.</summary>
    NewOrder,

    /// <summary>A revocation.</summary>
    RevokeCertificate,

    /// <summary>Renewal information (RFC 9773).</summary>
    RenewalInfo,
}
