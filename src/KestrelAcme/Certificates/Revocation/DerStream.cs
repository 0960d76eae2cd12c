using System.Formats.Asn1;
using System.Security.Cryptography;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Reads DER from a stream, forward only and through one buffer. A list of any length takes no more memory than its longest entry.
/// </summary>
internal sealed class DerStream(Stream stream, long maxLength) : IDisposable
{
    /// <summary>The maximum length of an element that is read as a whole.</summary>
    public const int MaxElementLength = 64 * 1024;

    private const int MaxHeaderLength = 6;

    private readonly byte[] _buffer = new byte[MaxElementLength + MaxHeaderLength];
    private int _start;
    private int _end;
    private MemoryStream? _unhashed;
    private IncrementalHash? _hash;

    /// <summary>The number of bytes read.</summary>
    public long Position { get; private set; }

    /// <summary>Starts to record what is read, until <see cref="UseHash"/> sets the hash algorithm.</summary>
    public void BeginSigned() => _unhashed = new MemoryStream();

    /// <summary>Hashes what was recorded, and what is read from now on.</summary>
    public void UseHash(HashAlgorithmName algorithm)
    {
        _hash = IncrementalHash.CreateHash(algorithm);
        _hash.AppendData(_unhashed!.GetBuffer().AsSpan(0, (int)_unhashed.Length));
        _unhashed = null;
    }

    /// <summary>Returns the hash of everything that was read since <see cref="BeginSigned"/>.</summary>
    public byte[] EndSigned()
    {
        var hash = _hash!.GetHashAndReset();
        _hash.Dispose();
        _hash = null;
        return hash;
    }

    /// <summary>Returns the tag of the next element; <see langword="null"/> at <paramref name="end"/>.</summary>
    public async ValueTask<byte?> PeekTagAsync(long end, CancellationToken cancellationToken)
    {
        if (Position >= end)
        {
            return null;
        }

        while (_end == _start)
        {
            await FillAsync(cancellationToken);
        }

        return _buffer[_start];
    }

    /// <summary>Reads the header of an element whose contents are read piece by piece.</summary>
    /// <returns>The position of its end.</returns>
    /// <exception cref="AsnContentException">The element has another tag, or is longer than the element that contains it.</exception>
    public async ValueTask<long> EnterAsync(byte tag, long end, CancellationToken cancellationToken)
    {
        int header;
        long length;
        while (!TryReadHeader(out header, out length))
        {
            await FillAsync(cancellationToken);
        }

        if (_buffer[_start] != tag)
        {
            throw new AsnContentException($"An element has the tag {_buffer[_start]}, not {tag}.");
        }

        Advance(header);
        return Position + length <= end
            ? Position + length
            : throw new AsnContentException("An element is longer than the element that contains it.");
    }

    /// <summary>Reads an element as a whole, including its header. The memory is valid until the next element is read.</summary>
    /// <exception cref="AsnContentException">There is no element, or it is longer than allowed.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(int maxElementLength, long end, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> element;
        while (!TryRead(maxElementLength, end, out element))
        {
            await FillAsync(cancellationToken);
        }

        return element;
    }

    /// <summary>
    /// Reads an element like <see cref="ReadAsync"/>, if it has arrived completely. Most of the millions of short elements need no task.
    /// </summary>
    /// <returns>Whether the element has arrived completely.</returns>
    public bool TryRead(int maxElementLength, long end, out ReadOnlyMemory<byte> element)
    {
        element = default;
        if (!TryReadHeader(out var header, out var length))
        {
            return false;
        }

        if (header + length > Math.Min(maxElementLength, MaxElementLength) || Position + header + length > end)
        {
            throw new AsnContentException($"An element of {header + length} bytes is longer than allowed.");
        }

        var total = header + (int)length;
        if (_end - _start < total)
        {
            return false;
        }

        element = _buffer.AsMemory(_start, total);
        Advance(total);
        return true;
    }

    public void Dispose()
    {
        _hash?.Dispose();
        _unhashed?.Dispose();
    }

    private bool TryReadHeader(out int header, out long length)
    {
        (header, length) = (2, 0);
        var arrived = _buffer.AsSpan(_start, _end - _start);
        if (arrived.Length < header)
        {
            return false;
        }

        if (arrived[1] < 0x80)
        {
            length = arrived[1];
            return true;
        }

        // Four octets are enough for any list that is read. DER has no indefinite length.
        var octets = arrived[1] & 0x7F;
        if (octets is 0 or > 4)
        {
            throw new AsnContentException("The length of an element is not valid DER.");
        }

        header += octets;
        if (arrived.Length < header)
        {
            return false;
        }

        foreach (var octet in arrived[2..header])
        {
            length = (length << 8) | octet;
        }

        return true;
    }

    /// <summary>Waits for more data. Data that was read before is overwritten.</summary>
    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read > 0 ? read : throw new AsnContentException("The data is cut off.");
    }

    private void Advance(int count)
    {
        var passed = _buffer.AsSpan(_start, count);
        _hash?.AppendData(passed);
        _unhashed?.Write(passed);
        _start += count;
        Position += count;
        if (Position > maxLength)
        {
            throw RevocationListClient.TooLarge();
        }
    }
}
