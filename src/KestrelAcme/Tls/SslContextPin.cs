using System.Net.Security;
using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Tls;

/// <summary>A server handshake in memory that has read a ClientHello and waits for the rest: as long as it does, .NET keeps what OpenSSL knows of its certificate.</summary>
/// <remarks>
/// On Linux .NET keeps OpenSSL's SSL_CTXs, and with them the keys of the session tickets, in one cache for the process, and each time its size reaches a
/// multiple of 32 it drops every entry that no connection uses at that moment. From about 30 names on nearly no session is resumed, and full handshakes pay for
/// making SSL_CTXs anew. A connection that never ends holds its SSL_CTX. It costs about a millisecond to set up and 80 KB to keep.
/// </remarks>
internal sealed class SslContextPin
{
    private static readonly Lazy<byte[]> ClientHello = new(CaptureClientHello);

    private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SslContextPin()
    {
    }

    /// <summary>Begins the handshake on this thread, up to where it waits.</summary>
    public static SslContextPin Begin(SslServerAuthenticationOptions options, ILogger logger)
    {
        var clientHello = ClientHello.Value;
        var handshake = new SslContextPin();
        _ = handshake.RunAsync(clientHello, options, logger);
        return handshake;
    }

    /// <summary>Lets go of what it holds.</summary>
    public void End() => _end.TrySetResult(0);

    /// <summary>The ClientHello of a client in this process that restricts nothing.</summary>
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
            // The one way it ends: End() closed the stream. Where it ends earlier, nothing is pinned, and nothing else is lost.
            logger.PinEnded(exception.Message);
        }
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
