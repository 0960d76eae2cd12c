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

    public int Places(WorkLane lane) => lane == WorkLane.Maintenance ? settings.MaxMaintenance : configuration.Current.MaxConcurrentOrders;

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
        => _newSets.Take(now, settings.NewSetBurst, settings.NewSetInterval).Wait is { } wait ? now + wait : null;
}
