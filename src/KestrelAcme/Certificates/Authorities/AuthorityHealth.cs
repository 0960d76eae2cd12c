using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The circuit breaker of one authority, for all names: its failures in a row, until when it is left alone, and what the answers to orders say of the account.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityHealth
{
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    // As many orders, of whatever names, show that it is the authority that fails.
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

    /// <summary>Notes that an order was refused for a rate limit; see <see cref="OrderTrust.Limit"/>.</summary>
    /// <returns>Until when orders for new names are held because of it; <see langword="null"/> if it holds its own name alone.</returns>
    public DateTimeOffset? Limited(string family, bool isProven, TimeSpan? asked, DateTimeOffset now)
    {
        lock (_lock)
        {
            _trust = _trust.Limit(family, isProven, asked, now);
            return _trust.InDoubt ? _trust.NextProbe : null;
        }
    }

    /// <summary>Notes that an order was refused as "unauthorized" although the account is valid.</summary>
    /// <returns>Whether that concerns the account, not the name.</returns>
    public bool Forbidden(string name, DateTimeOffset now)
    {
        lock (_lock)
        {
            _trust = _trust.Forbid(name);
            return _trust.IsForbidden(now);
        }
    }

    /// <summary>Notes that an order was accepted: the account is neither at its limit nor refused.</summary>
    /// <returns>Whether that ends a doubt, which orders for new names were held by.</returns>
    public bool Accepted(DateTimeOffset now)
    {
        lock (_lock)
        {
            var inDoubt = _trust.InDoubt;
            _trust = OrderTrust.Accepted(now);
            return inDoubt;
        }
    }

    /// <summary>Whether no order was answered yet: only then does what others were told count.</summary>
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

    /// <summary>Until when orders for new names are held; renewals never are.</summary>
    public DateTimeOffset? NewNamesHeldUntil(DateTimeOffset now)
    {
        lock (_lock)
        {
            return _trust.HeldUntil(now);
        }
    }

    /// <summary>Takes the right to order for new names.</summary>
    /// <returns>When to ask again; <see langword="null"/> when it was taken.</returns>
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

    /// <summary>Holds orders for new names, as another instance or an earlier run does.</summary>
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
