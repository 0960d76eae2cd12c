namespace KestrelAcme.Protocol.Transport;

/// <summary>A connection that tells, once, whether anything was received on it: at the first octet, or when it ends without one.</summary>
internal sealed class FirstOctetStream(Stream inner, Action<bool> isBroken) : Stream
{
    private int _told = 1;

    /// <summary>Begins to watch: this is the connection that is used.</summary>
    public void Watch() => Volatile.Write(ref _told, 0);

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (buffer.Length > 0)
        {
            Tell(isSilent: read == 0);
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
            Tell(isSilent: read == 0);
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
            Tell(isSilent: true);
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    // What the first octet says stays: a connection that was answered once may end at any time.
    private void Tell(bool isSilent)
    {
        if (Interlocked.Exchange(ref _told, 1) == 0)
        {
            isBroken(isSilent);
        }
    }
}
