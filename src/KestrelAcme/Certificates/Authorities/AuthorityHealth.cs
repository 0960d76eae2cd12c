using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// The circuit breaker of a CA, for all names: its failures in a row, the time until which it is left alone, and what the responses to
/// orders say about the account.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityHealth
{
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    // So many failed orders, whatever their names are, show that the CA is down.
    private const int OrdersOfAnOutage = 3;
    private static readonly TimeSpan LongestProbe = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private OrderTrust _trust = new();
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

    /// <summary>Returns the time until which the CA is left alone; <see langword="null"/> if it may be asked.</summary>
    public DateTimeOffset? OpenUntil(DateTimeOffset now)
    {
        lock (_lock)
        {
            // A time that was set while the clock was far ahead must not last.
            return _openUntil > now && _openedAt <= now + LargestSkew ? _openUntil : null;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            (_failures, _orders) = (0, 0);
            (_openUntil, _probeUntil) = (default, default);
        }
    }

    /// <summary>Counts a failure. Failures while the breaker is open belong to the one that opened it.</summary>
    /// <returns>The number of failures in a row, including this one.</returns>
    public int Failed(DateTimeOffset now)
    {
        lock (_lock)
        {
            return OpenUntil(now) is null ? ++_failures : Math.Max(_failures, 1);
        }
    }

    /// <summary>Whether orders go to another CA, because several in a row failed by an outage and none has succeeded since.</summary>
    /// <param name="now">The current time.</param>
    /// <param name="hasFailed">Whether the certificate already failed at this CA. Then it does not try again.</param>
    /// <param name="probes">
    /// Whether an order follows. One at a time finds out whether the CA is back, and the others do not wait for it.
    /// </param>
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

    /// <summary>Records that an order was refused for a rate limit; see <see cref="OrderTrust.Limit"/>.</summary>
    /// <returns>The time until which orders for new names are held back; <see langword="null"/> if only the name itself waits.</returns>
    public DateTimeOffset? Limited(string family, bool isProven, TimeSpan? asked, DateTimeOffset now)
    {
        lock (_lock)
        {
            _trust = _trust.Limit(family, isProven, asked, now);
            return _trust.InDoubt ? _trust.NextProbe : null;
        }
    }

    /// <summary>Records that an order was refused as "unauthorized" although the account is valid.</summary>
    /// <returns>Whether that concerns the account, not the name.</returns>
    public bool Forbidden(string name, DateTimeOffset now)
    {
        lock (_lock)
        {
            _trust = _trust.Forbid(name);
            return _trust.IsForbidden(now);
        }
    }

    /// <summary>Records that an order was accepted: the account is neither at its limit nor refused.</summary>
    /// <returns>Whether that ends a doubt that held back orders for new names.</returns>
    public bool Accepted(DateTimeOffset now)
    {
        lock (_lock)
        {
            var inDoubt = _trust.InDoubt;
            _trust = OrderTrust.Accepted(now);
            return inDoubt;
        }
    }

    /// <summary>Whether no order was answered yet. Only then, what other instances recorded counts.</summary>
    public bool IsUnknown
    {
        get
        {
            lock (_lock)
            {
                return _trust.IsUnknown;
            }
        }
    }

    /// <summary>Returns the time until which orders for new names are held back. Renewals never are.</summary>
    public DateTimeOffset? NewNamesHeldUntil(DateTimeOffset now)
    {
        lock (_lock)
        {
            return _trust.HeldUntil(now);
        }
    }

    /// <summary>Takes the permission to order for new names.</summary>
    /// <returns>The time to ask again; <see langword="null"/> if the permission was taken.</returns>
    public DateTimeOffset? TryBeginNewName(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_trust.HeldUntil(now) is { } until)
            {
                return until;
            }

            _trust = _trust.Begin(now);
            return null;
        }
    }

    /// <summary>Holds back orders for new names, as another instance or an earlier run does.</summary>
    public void HoldNewNames(DateTimeOffset until)
    {
        lock (_lock)
        {
            _trust = _trust.Recall(until);
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
