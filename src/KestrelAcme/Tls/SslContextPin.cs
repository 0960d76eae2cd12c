using System.Net.Security;
using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>
/// A server handshake in memory that has read a ClientHello and waits for more. While it waits, .NET keeps OpenSSL's data for its
/// certificate.
/// </summary>
/// <remarks>
/// On Linux, .NET caches OpenSSL's SSL_CTXs, which hold the keys of session tickets, in one cache per process. Each time the size of the
/// cache reaches a multiple of 32, .NET drops every entry that no connection uses at that moment. From about 30 names on, hardly any
/// session is resumed, and full handshakes pay for creating SSL_CTXs again. A connection that never ends keeps its SSL_CTX. It takes about
/// a millisecond to set up and 80 KB of memory.
/// </remarks>
internal sealed class SslContextPin
{
    private static readonly Lazy<byte[]> ClientHello = new(CaptureClientHello);

    private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SslContextPin()
    {
    }

    /// <summary>Runs the handshake on the calling thread up to the point where it waits.</summary>
    public static SslContextPin Begin(SslServerAuthenticationOptions options, ILogger logger)
    {
        var clientHello = ClientHello.Value;
        var pin = new SslContextPin();
        _ = pin.RunAsync(clientHello, options, logger);
        return pin;
    }

    /// <summary>Ends the handshake and releases the SSL_CTX.</summary>
    public void End() => _end.TrySetResult(0);

    /// <summary>Returns the ClientHello of a client in this process with default options.</summary>
    public static byte[] CaptureClientHello()
    {
        using var transport = new OneWayStream([], new TaskCompletionSource<int>().Task);
        var client = new SslStream(transport);
        _ = client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "pin.invalid" }).ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return transport.Written;
    }

    private async Task RunAsync(byte[] clientHello, SslServerAuthenticationOptions options, ILogger logger)
    {
        await using var server = new SslStream(new OneWayStream(clientHello, _end.Task));
        try
        {
            await server.AuthenticateAsServerAsync(options);
        }
        catch (Exception exception) when (exception is IOException or AuthenticationException)
        {
            // Normally End() closed the stream. If the handshake ends earlier, nothing is pinned, and nothing else is lost.
            logger.PinEnded(exception.Message);
        }
    }

    /// <summary>A stream that returns its content and then blocks the reader; keeps the first write.</summary>
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

            // SslStream starts with an empty read to learn whether there is data.
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
            // Only CaptureClientHello needs it.
            if (content.Length == 0 && Written.Length == 0)
            {
                Written = bytes.ToArray();
            }
        }
    }
}
