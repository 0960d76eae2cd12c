using KestrelAcme.Certificates.Renewal;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The circuit breaker of one authority, for all names: its failures in a row, and until when it is left alone.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityHealth
{
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    // As many orders, of whatever names, show that it is the authority that fails.
    private const int OrdersOfAnOutage = 3;
    private static readonly TimeSpan LongestProbe = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _limited = new(StringComparer.Ordinal);
    private int _failures;
    private int _orders;
    private DateTimeOffset _probeUntil;
    private DateTimeOffset _openUntil;
    private DateTimeOffset _openedAt;

    public int Failures
    {
        get
        {
            lock (_lock)
            {
                return _failures;
            }
        }
    }

    /// <summary>The instant until which nothing is asked of the authority; <see langword="null"/> when it may be asked.</summary>
    public DateTimeOffset? OpenUntil(DateTimeOffset now)
    {
        lock (_lock)
        {
            // What was set while the clock was far ahead must end.
            return _openUntil > now && _openedAt <= now + LargestSkew ? _openUntil : null;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            (_failures, _orders) = (0, 0);
            (_openUntil, _probeUntil) = (default, default);
            _limited.Clear();
        }
    }

    /// <summary>Counts a failure. Those that come in while the breaker is open belong to the failure that opened it.</summary>
    /// <returns>The failures in a row, this one included.</returns>
    public int Failed(DateTimeOffset now)
    {
        lock (_lock)
        {
            return OpenUntil(now) is null ? ++_failures : Math.Max(_failures, 1);
        }
    }

    /// <summary>Tells whether orders go elsewhere, where there is another authority: some in a row ended in an outage, and no later one has succeeded.</summary>
    /// <param name="now">The present.</param>
    /// <param name="hasFailed">Whether the certificate to order failed there already: it does not find out once more.</param>
    /// <param name="probes">Whether an order follows: one at a time finds out whether the authority is back, the others do not wait for it.</param>
    public bool IsDown(DateTimeOffset now, bool hasFailed, bool probes)
    {
        lock (_lock)
        {
            if (_orders < OrdersOfAnOutage)
            {
                return false;
            }

            if (hasFailed || OpenUntil(now) is not null || (_probeUntil > now && _probeUntil <= now + LongestProbe))
            {
                return true;
            }

            _probeUntil = probes ? now + LongestProbe : _probeUntil;
            return false;
        }
    }

    /// <summary>Notes that an order was refused for a rate limit.</summary>
    /// <param name="family">What the name shares its limits with.</param>
    /// <param name="now">The present.</param>
    /// <returns>Whether unrelated names are refused one after the other.</returns>
    public bool Limited(string family, DateTimeOffset now)
    {
        lock (_lock)
        {
            foreach (var (old, at) in _limited)
            {
                if (at <= now - RateLimitPolicy.Window || at > now)
                {
                    _limited.Remove(old);
                }
            }

            _limited[family] = now;
            return _limited.Count >= RateLimitPolicy.NamesOfAnAccount;
        }
    }

    public void OpenFor(DateTimeOffset until, DateTimeOffset now, bool isOutage = false)
    {
        lock (_lock)
        {
            if (isOutage)
            {
                _orders++;
                _probeUntil = default;
            }

            if (OpenUntil(now) is not { } known || until > known)
            {
                (_openUntil, _openedAt) = (until, now);
            }
        }
    }
}
