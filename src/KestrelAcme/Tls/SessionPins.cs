using System.Net.Security;
using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>Keeps the sessions of the hottest certificates resumable.</summary>
/// <remarks>
/// On Linux .NET keeps OpenSSL's SSL_CTXs, and with them the keys of the session tickets, in one cache for the process, and each time its size reaches a
/// multiple of 32 it drops every entry that no connection uses at that moment. From about 30 names on nearly no session is resumed, and full handshakes pay for
/// making SSL_CTXs anew. A connection that never ends holds its SSL_CTX: so each pinned certificate gets one server handshake, in memory, that has read a
/// ClientHello and waits for the rest. It costs about a millisecond to set up and 80 KB to keep.
/// </remarks>
internal sealed class SessionPins(ITlsSettingsSource settings, TimeProvider timeProvider, ILogger<SessionPins> logger)
{
    // A newcomer must be clearly hotter than the coldest, and rarely: with even traffic over many names, pins would wander for nothing.
    private const float Advantage = 2;
    private static readonly TimeSpan ReplaceInterval = TimeSpan.FromSeconds(1);
    private static readonly Lazy<byte[]> ClientHello = new(CaptureClientHello);
    private static readonly object Reserved = new();

    private readonly Lock _gate = new();
    private readonly List<CertificateEntry> _pinned = [];
    private long _lastReplacement;
    private int _count;

    /// <summary>How many certificates are pinned.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Considers an entry whose context a handshake is about to use with these options. Returns at once; the work is done elsewhere.</summary>
    public void Offer(CertificateEntry entry, SslServerAuthenticationOptions options)
    {
        // .NET caches SSL_CTXs on Linux, and only those that none of these make special.
        if (entry.Pin is not null || entry.IsUnpublished || !OperatingSystem.IsLinux() || options.CipherSuitesPolicy is not null || !options.AllowTlsResume || !HasRoom(entry))
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
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Pins.TryPin(work.Entry, work.Options), (Pins: this, Entry: entry, Options: copy), preferLocal: false);
        }
    }

    /// <summary>Lets go of an entry that is no longer served.</summary>
    public void Release(CertificateEntry entry)
    {
        lock (_gate)
        {
            if (_pinned.Remove(entry))
            {
                Volatile.Write(ref _count, _pinned.Count);
            }
        }

        (Interlocked.Exchange(ref entry.Pin, null) as WaitingHandshake)?.End();
    }

    private bool HasRoom(CertificateEntry entry)
    {
        var limit = settings.Current.PinnedCertificates;
        if (Count < limit)
        {
            return true;
        }

        var now = timeProvider.GetTimestamp();
        var last = Volatile.Read(ref _lastReplacement);
        if (limit == 0 || timeProvider.GetElapsedTime(last, now) < ReplaceInterval || Interlocked.CompareExchange(ref _lastReplacement, now, last) != last)
        {
            return false;
        }

        lock (_gate)
        {
            return _pinned.Count < limit || entry.Heat > Advantage * Coldest(now).HeatAt(now, timeProvider);
        }
    }

    private CertificateEntry Coldest(long now) => _pinned.MinBy(entry => entry.HeatAt(now, timeProvider))!;

    // Pins save processor time and no more: what goes wrong here must not end the process, as an exception on this thread would.
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
        CertificateEntry? displaced = null;
        lock (_gate)
        {
            if (entry.IsUnpublished)
            {
                // Replaced between the offer and now.
                Volatile.Write(ref entry.Pin, null);
                return;
            }

            if (_pinned.Count > 0 && _pinned.Count >= settings.Current.PinnedCertificates)
            {
                displaced = Coldest(timeProvider.GetTimestamp());
            }

            _pinned.Add(entry);
            Volatile.Write(ref _count, _pinned.Count);
        }

        if (displaced is not null)
        {
            Release(displaced);
        }

        var handshake = new WaitingHandshake(ClientHello.Value);
        _ = handshake.RunAsync(options, logger);
        if (Interlocked.CompareExchange(ref entry.Pin, handshake, Reserved) != Reserved)
        {
            // Released in the meantime, and not to be found then: it must not be kept.
            handshake.End();
            lock (_gate)
            {
                _pinned.Remove(entry);
                Volatile.Write(ref _count, _pinned.Count);
            }
        }
    }

    private static byte[] CaptureClientHello()
    {
        using var transport = new OneWayStream([], new TaskCompletionSource<int>().Task);
        var client = new SslStream(transport);
        _ = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "pin.invalid" }).ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return transport.Written;
    }

    private sealed class WaitingHandshake(byte[] clientHello)
    {
        private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task RunAsync(SslServerAuthenticationOptions options, ILogger logger)
        {
            await using var server = new SslStream(new OneWayStream(clientHello, _end.Task));
            try
            {
                await server.AuthenticateAsServerAsync(options);
            }
            catch (Exception exception) when (exception is IOException or AuthenticationException)
            {
                // The one way it ends: End() closed the stream. Where it ends earlier, nothing is pinned, and nothing else is lost.
                logger.PinEnded(exception.Message);
            }
        }

        public void End() => _end.TrySetResult(0);
    }

    /// <summary>Gives what it was made with, then makes the reader wait; keeps the first that is written.</summary>
    private sealed class OneWayStream(byte[] content, Task<int> end) : Stream
    {
        private int _position;

        public byte[] Written { get; private set; } = [];

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_position == content.Length)
            {
                return new(end);
            }

            // SslStream begins with a read of no bytes, to learn that there are some.
            var count = Math.Min(buffer.Length, content.Length - _position);

            content.AsMemory(_position, count).CopyTo(buffer);
            _position += count;
            return new(count);
        }

        public override void Write(byte[] buffer, int offset, int count) => Keep(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Keep(buffer.Span);
            return default;
        }

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Keep(ReadOnlySpan<byte> bytes)
        {
            // Only the capture of the ClientHello asks for it.
            if (content.Length == 0 && Written.Length == 0)
            {
                Written = bytes.ToArray();
            }
        }
    }
}
