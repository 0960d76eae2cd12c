using KestrelAcme.Certificates.Renewal;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The circuit breaker of one authority, for all names: its failures in a row, and until when it is left alone.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityHealth
{
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DateTimeOffset> _limited = new(StringComparer.Ordinal);
    private int _failures;
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
            _failures = 0;
            _openUntil = default;
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

    public void OpenFor(DateTimeOffset until, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (OpenUntil(now) is not { } known || until > known)
            {
                (_openUntil, _openedAt) = (until, now);
            }
        }
    }
}
