using System.Net.Security;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>
/// Keeps the TLS sessions of the most used certificates resumable. Chooses the certificates, gives each an <see cref="SslContextPin"/>,
/// and releases the pins of certificates that are used less or no longer served.
/// </summary>
internal sealed class SessionPins(ITlsSettingsSource settings, TimeProvider timeProvider, ILogger<SessionPins> logger)
{
    // A new certificate must be used clearly more than the least used pinned
    // one. With even traffic over many names, pins would move in vain.
    private const float Advantage = 2;
    private static readonly TimeSpan ReplaceInterval = TimeSpan.FromSeconds(1);
    private static readonly object Reserved = new();

    private readonly Lock _gate = new();
    private readonly List<CertificateEntry> _pinned = [];
    private long _lastReplacement;
    private int _count;

    /// <summary>How many certificates are pinned.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// Considers pinning an entry whose context a handshake is about to use
    /// with these options. Returns at once; the work runs on the thread pool.
    /// </summary>
    public void Offer(CertificateEntry entry, SslServerAuthenticationOptions options)
    {
        // .NET caches SSL_CTXs on Linux only, and only for options without these features.
        if (entry.Pin is not null || entry.IsUnpublished || !OperatingSystem.IsLinux()
            || options.CipherSuitesPolicy is not null || !options.AllowTlsResume || !HasRoom(entry))
        {
            return;
        }

        if (Interlocked.CompareExchange(ref entry.Pin, Reserved, null) is null)
        {
            var copy = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = options.ServerCertificateContext,
                EnabledSslProtocols = options.EnabledSslProtocols,
                ApplicationProtocols = options.ApplicationProtocols,
                ClientCertificateRequired = options.ClientCertificateRequired,
                RemoteCertificateValidationCallback = static (_, _, _, _) => false,
            };
            ThreadPool.UnsafeQueueUserWorkItem(
                static work => work.Pins.TryPin(work.Entry, work.Options), (Pins: this, Entry: entry, Options: copy), preferLocal: false);
        }
    }

    /// <summary>Releases the pin of an entry that is no longer served.</summary>
    public void Release(CertificateEntry entry)
    {
        Forget(entry);
        (Interlocked.Exchange(ref entry.Pin, null) as SslContextPin)?.End();
    }

    private bool HasRoom(CertificateEntry entry)
    {
        var limit = settings.Current.SessionCacheCertificates;
        if (Count < limit)
        {
            return true;
        }

        var now = timeProvider.GetTimestamp();
        var last = Volatile.Read(ref _lastReplacement);
        if (limit == 0
            || timeProvider.GetElapsedTime(last, now) < ReplaceInterval
            || Interlocked.CompareExchange(ref _lastReplacement, now, last) != last)
        {
            return false;
        }

        lock (_gate)
        {
            return _pinned.Count < limit || entry.Heat > Advantage * Coldest(now).HeatAt(now, timeProvider);
        }
    }

    private CertificateEntry Coldest(long now) => _pinned.MinBy(entry => entry.HeatAt(now, timeProvider))!;

    // Pins only save processor time. An exception must not leave this thread-pool thread, because it would end the process.
    private void TryPin(CertificateEntry entry, SslServerAuthenticationOptions options)
    {
        try
        {
            Pin(entry, options);
        }
        catch (Exception exception)
        {
            logger.PinEnded(exception.Message);
            Release(entry);
        }
    }

    private void Pin(CertificateEntry entry, SslServerAuthenticationOptions options)
    {
        if (!TryTakePlace(entry, out var displaced))
        {
            return;
        }

        if (displaced is not null)
        {
            Release(displaced);
        }

        var pin = SslContextPin.Begin(options, logger);
        if (Interlocked.CompareExchange(ref entry.Pin, pin, Reserved) != Reserved)
        {
            // The entry was released in the meantime, when this pin did not exist yet.
            pin.End();
            Forget(entry);
        }
    }

    private bool TryTakePlace(CertificateEntry entry, out CertificateEntry? displaced)
    {
        displaced = null;
        lock (_gate)
        {
            if (entry.IsUnpublished)
            {
                // The certificate was replaced after it was offered.
                Volatile.Write(ref entry.Pin, null);
                return false;
            }

            if (_pinned.Count > 0 && _pinned.Count >= settings.Current.SessionCacheCertificates)
            {
                displaced = Coldest(timeProvider.GetTimestamp());
            }

            _pinned.Add(entry);
            Volatile.Write(ref _count, _pinned.Count);
            return true;
        }
    }

    private void Forget(CertificateEntry entry)
    {
        lock (_gate)
        {
            if (_pinned.Remove(entry))
            {
                Volatile.Write(ref _count, _pinned.Count);
            }
        }
    }
}
