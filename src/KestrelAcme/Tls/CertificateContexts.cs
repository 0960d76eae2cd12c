using System.Net.Security;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Makes contexts at first use, once each, and keeps the most recently used ones.</summary>
/// <remarks>A handshake only reads <see cref="CertificateEntry.Context"/>. The lock is taken when a context was made, which took a millisecond.</remarks>
internal sealed class CertificateContexts(ITlsSettingsSource settings, SessionPins pins, TimeProvider timeProvider, ILogger<CertificateContexts> logger)
{
    private readonly Lock _gate = new();
    private readonly List<CertificateEntry> _kept = [];

    /// <summary>How many contexts are kept.</summary>
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

    /// <summary>Returns the entry's context, and makes it if need be. Many who ask at once wait for one making.</summary>
    /// <exception cref="InvalidCertificateException">The certificate cannot be used.</exception>
    public ValueTask<SslStreamCertificateContext> GetAsync(CertificateEntry entry)
    {
        return entry.Context is { } context ? new(context) : new(MakeOnceAsync(entry));
    }

    /// <summary>Makes the context on this thread, for a certificate that is about to be published.</summary>
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
            // Whatever it is, those who wait must be told.
            mine.SetException(exception);
        }
        finally
        {
            // Whoever comes now finds the context, or tries again after an eviction or a failure.
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
                // Replaced while its context was made: the one connection that waited uses it, and nobody else will.
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
