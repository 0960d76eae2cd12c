using System.Buffers;
using KestrelAcme.Tls;

namespace KestrelAcme.Tests.Tls;

/// <summary>
/// Mutates ClientHellos randomly from a seed and reads them whole and in pieces. Both results must be equal, and nothing may throw.
/// </summary>
internal sealed class ClientHelloMutator(int seed)
{
    private static readonly byte[][] Corpus =
    [
        ClientHelloBuilder.For("www.example.test", "h2", "http/1.1").Build(),
        ClientHelloBuilder.For("a.test", "acme-tls/1").Build(60),
        ClientHelloBuilder.For(null).Build(7),
        new ClientHelloBuilder { WithoutExtensions = true }.Build(),
    ];

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    private readonly Random _random = new(seed);
    private readonly byte[] _buffer = new byte[2048];

    /// <summary>The number of results by status.</summary>
    public int[] Counts { get; } = new int[Enum.GetValues<ClientHelloStatus>().Length];

    /// <summary>Reads one mutated input.</summary>
    /// <returns>What is wrong, or <see langword="null"/>.</returns>
    public string? RunOne()
    {
        var input = Mutate();
        var whole = new ClientHelloReader();
        var status = whole.Read(new ReadOnlySequence<byte>(input), out var hello);
        Counts[(int)status]++;
        if (hello.ServerName is { } name && (name.Length > 253 || name.AsSpan().ContainsAnyExcept(NameCharacters)))
        {
            return $"The name {name} came through: {Convert.ToHexString(input.Span)}";
        }

        var pieces = new ClientHelloReader();
        var (inPieces, helloInPieces) = ReadInPieces(ref pieces, input);
        return inPieces == status && helloInPieces == hello
            ? null
            : $"{status} as a whole, {inPieces} in pieces: {Convert.ToHexString(input.Span)}";
    }

    // The bytes arrive in a few portions. The reader gets all bytes received so far, in segments of odd lengths.
    private (ClientHelloStatus Status, ClientHello Hello) ReadInPieces(ref ClientHelloReader reader, ReadOnlyMemory<byte> input)
    {
        var status = ClientHelloStatus.Incomplete;
        ClientHello hello = default;
        var portions = _random.Next(1, 4);
        for (var i = 1; i <= portions && status == ClientHelloStatus.Incomplete; i++)
        {
            var arrived = input[..(input.Length * i / portions)];
            status = reader.Read(Segment.Split(arrived, _random.Next(1, 200)), out hello);
        }

        return (status, hello);
    }

    private ReadOnlyMemory<byte> Mutate()
    {
        var source = Corpus[_random.Next(Corpus.Length)];
        source.CopyTo(_buffer, 0);
        var length = source.Length;
        for (var changes = _random.Next(4); changes > 0; changes--)
        {
            var at = _random.Next(length);
            switch (_random.Next(6))
            {
                case 0:
                    _buffer[at] ^= (byte)(1 << _random.Next(8));
                    break;
                case 1:
                    _buffer[at] = (byte)_random.Next(256);
                    break;
                case 2:
                    _buffer[at] = _random.Next(2) == 0 ? (byte)0 : (byte)255;
                    break;
                case 3:
                    length = at + 1;
                    break;
                case 4:
                    // Repeats a part in another place.
                    var count = Math.Min(_random.Next(40), _buffer.Length - length);
                    Array.Copy(_buffer, at, _buffer, at + count, length - at);
                    length += count;
                    break;
                default:
                    var gone = Math.Min(_random.Next(1, 20), length - 1);
                    at = _random.Next(length - gone + 1);
                    Array.Copy(_buffer, at + gone, _buffer, at, length - at - gone);
                    length -= gone;
                    break;
            }
        }

        return _buffer.AsMemory(0, length);
    }

    /// <summary>A segment of a sequence.</summary>
    internal sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public static ReadOnlySequence<byte> Split(ReadOnlyMemory<byte> bytes, int length)
        {
            var first = new Segment(bytes[..Math.Min(length, bytes.Length)], 0);
            var last = first;
            for (var at = first.Memory.Length; at < bytes.Length; at += length)
            {
                var next = new Segment(bytes.Slice(at, Math.Min(length, bytes.Length - at)), at);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
