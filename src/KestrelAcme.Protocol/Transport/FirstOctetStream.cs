using System.Runtime.CompilerServices;

namespace KestrelAcme.Protocol.Transport;

/// <summary>A connection that reports once whether anything was received on it: at the first octet, or when it ends without one.</summary>
internal sealed class FirstOctetStream(Stream inner, Action<bool> isBroken) : Stream
{
    private int _reported = 1;

    /// <summary>Starts watching, because this connection is used.</summary>
    public void Watch() => Volatile.Write(ref _reported, 0);

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (buffer.Length > 0)
        {
            Report(isSilent: read == 0);
        }

        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        if (count > 0)
        {
            Report(isSilent: read == 0);
        }

        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Report(isSilent: true);
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    // Only the first report counts: a connection that has received something may end at any time.
    private void Report(bool isSilent)
    {
        if (Interlocked.Exchange(ref _reported, 1) == 0)
        {
            isBroken(isSilent);
        }
    }
}
