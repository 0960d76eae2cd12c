using System.Net.Security;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Creates each certificate context once, at first use, and caches the most recently used ones.</summary>
/// <remarks>
/// Safe for concurrent use. A handshake only reads <see cref="CertificateEntry.Context"/>. The lock is taken only after a context was
/// created, which takes about a millisecond.
/// </remarks>
internal sealed class CertificateContexts(
    ITlsSettingsSource settings, SessionPins pins, TimeProvider timeProvider, ILogger<CertificateContexts> logger)
{
    private readonly Lock _gate = new();
    private readonly List<CertificateEntry> _kept = [];
    private readonly TaskCompletionSource _firstServed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _hasServed;

    /// <summary>Completes when a context is served for the first time.</summary>
    public Task FirstServed => _firstServed.Task;

    /// <summary>The number of cached contexts.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _kept.Count;
            }
        }
    }

    /// <summary>Returns the entry's context and creates it if necessary. Concurrent callers share one creation.</summary>
    /// <exception cref="InvalidCertificateException">The certificate cannot be used.</exception>
    public ValueTask<SslStreamCertificateContext> GetAsync(CertificateEntry entry)
    {
        return entry.Context is { } context ? new(context) : new(MakeOnceAsync(entry));
    }

    /// <summary>Takes note that a context is served.</summary>
    public void NoteServed()
    {
        if (!_hasServed)
        {
            _hasServed = true;
            _firstServed.TrySetResult();
        }
    }

    /// <summary>Creates the context on the calling thread, for a certificate that is about to be published.</summary>
    /// <exception cref="InvalidCertificateException">The certificate cannot be used.</exception>
    public SslStreamCertificateContext Make(CertificateEntry entry)
    {
        if (entry.Context is not { } context)
        {
            context = CertificateContextFactory.Create(entry, out var exact);
            if (!exact)
            {
                logger.ChainBuiltAnew(entry.Id, entry.Chain.Count, context.IntermediateCertificates.Count + 1);
            }

            Keep(entry, context);
        }

        return context;
    }

    /// <summary>Drops the context of an entry that is no longer published.</summary>
    public void Drop(CertificateEntry entry)
    {
        lock (_gate)
        {
            entry.MarkUnpublished();
            if (entry.Context is not null)
            {
                _kept.Remove(entry);
                entry.Context = null;
            }
        }

        pins.Release(entry);
    }

    private Task<SslStreamCertificateContext> MakeOnceAsync(CertificateEntry entry)
    {
        var mine = new TaskCompletionSource<SslStreamCertificateContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref entry.Making, mine.Task, null) is { } others)
        {
            return others;
        }

        try
        {
            mine.SetResult(Make(entry));
        }
        catch (Exception exception)
        {
            // All callers that share this task must see the failure, whatever it is.
            mine.SetException(exception);
        }
        finally
        {
            // A later caller finds the context, or tries again after an eviction or a failure.
            Volatile.Write(ref entry.Making, null);
        }

        return mine.Task;
    }

    private void Keep(CertificateEntry entry, SslStreamCertificateContext context)
    {
        lock (_gate)
        {
            if (entry.IsUnpublished)
            {
                // The certificate was replaced while its context was created. Only the connection that waited for it uses it.
                return;
            }

            if (entry.Context is null)
            {
                _kept.Add(entry);
            }

            entry.Context = context;
            entry.Touch(timeProvider);
            while (_kept.Count > Math.Max(1, settings.Current.ContextCacheSize))
            {
                EvictOldest();
            }
        }
    }

    private void EvictOldest()
    {
        var oldest = 0;
        for (var i = 1; i < _kept.Count; i++)
        {
            if (_kept[i].LastUsed < _kept[oldest].LastUsed)
            {
                oldest = i;
            }
        }

        _kept[oldest].Context = null;
        pins.Release(_kept[oldest]);
        _kept[oldest] = _kept[^1];
        _kept.RemoveAt(_kept.Count - 1);
    }
}
