namespace KestrelAcme.DnsClient.Tests.Messages;

/// <summary>Breaks messages like a hostile or faulty server. The same seed produces the same mutations.</summary>
internal sealed class MessageMutator(int seed, byte[][] corpus)
{
    private static readonly byte[] Interesting = [0, 1, 4, 12, 0x29, 0x3F, 0x40, 0x80, 0xC0, 0xC1, 0xFA, 0xFF];

    private readonly Random _random = new(seed);
    private readonly byte[] _buffer = new byte[2048];

    public ReadOnlySpan<byte> Next()
    {
        byte[] source = corpus[_random.Next(corpus.Length)];
        source.CopyTo(_buffer, 0);
        int length = source.Length;
        for (int left = _random.Next(1, 5); left > 0 && length > 0; left--)
        {
            length = Mutate(length);
        }

        return _buffer.AsSpan(0, length);
    }

    private int Mutate(int length)
    {
        int at = _random.Next(length);
        switch (_random.Next(8))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << _random.Next(8));
                return length;
            case 1:
                _buffer[at] = Interesting[_random.Next(Interesting.Length)];
                return length;
            case 2: // A pointer to anywhere.
                _buffer[at] = (byte)(0xC0 | _random.Next(length >> 8, (length >> 8) + 1));
                _buffer[Math.Min(at + 1, length - 1)] = (byte)_random.Next(256);
                return length;
            case 3: // A wrong count in the header.
                _buffer[Math.Min(length - 1, 4 + _random.Next(8))] = (byte)_random.Next(256);
                return length;
            case 4:
                return at;
            case 5: // Octets taken out.
                int removed = _random.Next(1, Math.Min(16, length - at) + 1);
                _buffer.AsSpan(at + removed, length - at - removed).CopyTo(_buffer.AsSpan(at));
                return length - removed;
            case 6: // A piece of another message put over this one.
                byte[] other = corpus[_random.Next(corpus.Length)];
                int size = _random.Next(1, Math.Min(other.Length, _buffer.Length - at) + 1);
                other.AsSpan(0, size).CopyTo(_buffer.AsSpan(at));
                return Math.Max(length, at + size);
            default:
                _buffer[at] = (byte)_random.Next(256);
                return length;
        }
    }
}
