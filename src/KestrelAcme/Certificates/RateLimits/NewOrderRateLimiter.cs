using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.RateLimits;

/// <summary>
/// Keeps orders within the limits of public CAs for one account: new sets of names by a token bucket, renewals of the same set at most one
/// per second. Private CAs are not limited. A lane only checks the bucket as it was last seen. The token itself is taken from the store,
/// which all instances share, right before the order.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class NewOrderRateLimiter(ConfigurationSource configuration, IssuanceSettings settings) : IWorkGate
{
    // Clients wait for these orders, and most of the time of an order is that of the CA.
    private const int TimesOnDemand = 4;

    // More would slow down what the app serves meanwhile: each order takes processor time.
    private const int MostOnDemand = 16;

    private readonly Lock _lock = new();
    private TokenBucket _newSets = TokenBucket.Full(settings.NewSetBurst);
    private DateTimeOffset _lastRenewal;

    /// <summary>The state of the bucket. It is stored, so that a restart does not fill the bucket.</summary>
    public TokenBucket NewSets
    {
        get
        {
            lock (_lock)
            {
                return _newSets;
            }
        }

        set
        {
            lock (_lock)
            {
                _newSets = value;
            }
        }
    }

    private bool Paced => configuration.Current.Authorities.Any(a => a.IsPublic);

    public int Places(WorkLane lane)
    {
        var most = configuration.Current.MaxConcurrentOrders;
        return lane switch
        {
            WorkLane.Maintenance => settings.MaxMaintenance,
            WorkLane.OnDemand when most > 1 => Math.Max(most, Math.Min(most * TimesOnDemand, MostOnDemand)),
            _ => most,
        };
    }

    public DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now)
    {
        if (lane == WorkLane.Maintenance || !Paced)
        {
            return null;
        }

        lock (_lock)
        {
            return lane == WorkLane.Renewals ? TryStartRenewal(now) : TryStartNewSet(now);
        }
    }

    private DateTimeOffset? TryStartRenewal(DateTimeOffset now)
    {
        var next = _lastRenewal + settings.RenewalInterval;
        if (next > now && _lastRenewal <= now)
        {
            return next;
        }

        _lastRenewal = now;
        return null;
    }

    private DateTimeOffset? TryStartNewSet(DateTimeOffset now)
    {
        if (_newSets.At > now)
        {
            // The clock went back: the bucket would not fill until it has caught up.
            _newSets = _newSets with { At = now };
        }

        return _newSets.Take(now, settings.NewSetBurst, settings.NewSetInterval).Wait is { } wait ? now + wait : null;
    }
}

/// <summary>Limits how many jobs of a kind run at once, and how fast they follow each other.</summary>
internal interface IWorkGate
{
    /// <summary>Returns how many jobs of a lane, and of those that share its slots, may run at once.</summary>
    int Places(WorkLane lane);

    /// <summary>Takes the permission to start a job of a lane now.</summary>
    /// <returns><see langword="null"/> if it may start; otherwise the time to ask again.</returns>
    DateTimeOffset? TryStart(WorkLane lane, DateTimeOffset now);
}

/// <summary>The kinds of jobs. Each kind waits in a queue of its own, so that none delays another.</summary>
internal enum WorkLane
{
    /// <summary>Orders for names that have a certificate.</summary>
    Renewals,

    /// <summary>Orders for sets of names that are new to the CA.</summary>
    NewOrders,

    /// <summary>Requests for renewal information, and everything else that is not an order.</summary>
    Maintenance,

    /// <summary>
    /// Orders for names on demand that have no certificate. They have places of their own, unless there is only one place for all orders.
    /// </summary>
    OnDemand,
}
