using System.Collections.Concurrent;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Remembers for a while which names were denied or hit a limit, so that nobody is asked again, and says once a minute how many there were.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Two generations of bounded size: a scanner with ever new names only makes it forget sooner, and takes no more
/// memory.
/// </remarks>
internal sealed class DeniedNames(AcmeHttpsMetrics metrics, TimeProvider time, ILogger<DeniedNames> logger)
{
    /// <summary>The number of names in a generation.</summary>
    public const int MaxNames = 8192;

    private const int MaxShown = 20;

    private readonly Lock _gate = new();
    private readonly Queue<RefusedVisit> _shown = new();
    private ConcurrentDictionary<string, long> _young = new(StringComparer.Ordinal);
    private ConcurrentDictionary<string, long> _old = new(StringComparer.Ordinal);
    private int _count;
    private long _denied;
    private long _limited;
    private long _failed;
    private volatile Exception? _failure;

    /// <summary>The last names that were refused, with the reasons, for the status page.</summary>
    public IReadOnlyList<RefusedVisit> Latest
    {
        get
        {
            lock (_gate)
            {
                return [.. _shown.Reverse()];
            }
        }
    }

    /// <summary>The number of names that are remembered.</summary>
    public int Count => _young.Count + _old.Count;

    /// <summary>Whether a name was denied, and that still counts.</summary>
    public bool Contains(string name)
        => (_young.TryGetValue(name, out var until) || _old.TryGetValue(name, out until)) && time.GetTimestamp() < until;

    /// <summary>A name was denied.</summary>
    public void Denied(string name, TimeSpan duration, string? reason)
    {
        Interlocked.Increment(ref _denied);
        Remember(name, duration);
        Show(name, reason ?? "the permission denied it");
    }

    /// <summary>A name was refused because of a limit, or because nothing can be ordered for it.</summary>
    public void Limited(string name, TimeSpan duration, string reason)
    {
        Interlocked.Increment(ref _limited);
        metrics.OnDemandAsked(OnDemandOutcomes.Limited);
        Remember(name, duration);
        Show(name, reason);
    }

    /// <summary>It is not known whether a name is allowed. Nobody asks for a while.</summary>
    public void Unknown(string name, TimeSpan duration, string reason)
    {
        Remember(name, duration);
        Refused(name, reason);
    }

    /// <summary>A connection was refused, which says nothing about the next one.</summary>
    public void Refused(string name, string reason)
    {
        Interlocked.Increment(ref _limited);
        Show(name, reason);
    }

    /// <summary>An attempt failed because of an unexpected error.</summary>
    public void Failed(string name, Exception exception)
    {
        Interlocked.Increment(ref _failed);
        _failure = exception;
        Show(name, exception.Message);
    }

    /// <summary>Forgets what was decided about a name, because somebody knows better now.</summary>
    public void Forget(string name)
    {
        _young.TryRemove(name, out _);
        _old.TryRemove(name, out _);
    }

    /// <summary>Logs what happened since the last call, in one line.</summary>
    public void Report()
    {
        var (denied, limited) = (Interlocked.Exchange(ref _denied, 0), Interlocked.Exchange(ref _limited, 0));
        if (denied + limited > 0 && Latest is [var last, ..])
        {
            logger.OnDemandRefused(denied, limited, Quoted.Name(last.Name), last.Reason);
        }

        if (Interlocked.Exchange(ref _failed, 0) is > 0 and var failed && _failure is { } failure)
        {
            logger.OnDemandFailed(failed, failure);
        }
    }

    private void Remember(string name, TimeSpan duration)
    {
        var until = time.GetTimestamp() + (long)(duration.TotalSeconds * time.TimestampFrequency);
        if (!_young.TryAdd(name, until))
        {
            _young[name] = until;
            return;
        }

        if (Interlocked.Increment(ref _count) > MaxNames)
        {
            lock (_gate)
            {
                if (Volatile.Read(ref _count) > MaxNames)
                {
                    _old = _young;
                    _young = new(StringComparer.Ordinal);
                    Volatile.Write(ref _count, 0);
                }
            }
        }
    }

    private void Show(string name, string reason)
    {
        lock (_gate)
        {
            if (_shown.Count == MaxShown)
            {
                _shown.Dequeue();
            }

            _shown.Enqueue(new RefusedVisit(name, reason, time.GetUtcNow()));
        }
    }
}

/// <summary>A name that got no certificate on demand.</summary>
/// <param name="Name">The name.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
internal readonly record struct RefusedVisit(string Name, string Reason, DateTimeOffset At);

/// <summary>Stops serving a name that was denied, and stores that, so that it counts for all instances.</summary>
internal sealed class OnDemandDenials(
    OnDemandNames names, OnDemandCertificates certificates, ConfigurationSource configuration, TimeProvider time,
    ILogger<OnDemandDenials> logger)
{
    /// <summary>Refuses a client of a name.</summary>
    /// <returns>Whether it is served nevertheless.</returns>
    public async Task<bool> RefuseAsync(OnDemandName known, string name, CancellationToken stopping)
        => !known.IsShared ? await DenyAsync(known, stopping)
            : configuration.Current.OnDemand is { KeepServingDenied: true } && known.Names.Contains(name)
                && await certificates.ServeStoredAsync(known);

    /// <returns>Whether it is served nevertheless.</returns>
    public async Task<bool> DenyAsync(OnDemandName known, CancellationToken stopping)
    {
        var keeps = Withhold(known);
        if (known.Record.DeniedAt is null)
        {
            await StoreAsync(known, stopping);
        }

        return keeps && await certificates.ServeStoredAsync(known);
    }

    /// <returns>Whether it is served nevertheless.</returns>
    public bool Withhold(OnDemandName known)
    {
        var keeps = configuration.Current.OnDemand is { KeepServingDenied: true };
        if (!keeps && certificates.Withhold(known))
        {
            logger.OnDemandNameDenied(Quoted.Name(known.Record.Name));
        }

        return keeps;
    }

    /// <summary>Stores the last decision. After a restart, it counts while the permission does not respond.</summary>
    public async Task StoreAsync(OnDemandName known, CancellationToken stopping)
    {
        try
        {
            await names.ChangeAsync(known, stored => known.NotedIn(stored, visit: null, time.GetUtcNow()), stopping);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or OperationCanceledException)
        {
            // The next sweep tries again.
        }
    }
}
