namespace KestrelAcme.Certificates.Authorities;

/// <summary>The circuit breaker of one authority, for all names: its failures in a row, and until when it is left alone.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityHealth
{
    // What was set while the clock was far ahead must end.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(8);

    private readonly Lock _lock = new();
    private int _failures;
    private DateTimeOffset _openUntil;

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
            return _openUntil > now && _openUntil <= now + LongestWait ? _openUntil : null;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            _failures = 0;
            _openUntil = default;
        }
    }

    /// <summary>Counts a failure. Those that come in while the breaker is open belong to the failure that opened it.</summary>
    /// <returns>The failures in a row, this one included.</returns>
    public int Failed(DateTimeOffset now)
    {
        lock (_lock)
        {
            return _openUntil > now && _openUntil <= now + LongestWait ? Math.Max(_failures, 1) : ++_failures;
        }
    }

    public void OpenFor(DateTimeOffset until)
    {
        lock (_lock)
        {
            if (until > _openUntil)
            {
                _openUntil = until;
            }
        }
    }
}
