using System.Buffers.Binary;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>Reads a message from start to end, and never beyond. It throws nothing but <see cref="DnsFormatException"/>.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> message)
{
    // More than the labels of the longest name: no honest server makes pointers follow pointers.
    private const int MaximumPointers = 127;

    private readonly ReadOnlySpan<byte> _message = message;

    // An honest message has fewer pointers than octets, however many names pass through them. Without this limit, reading a hostile message
    // would take quadratic time.
    private int _pointersLeft = message.Length;

    public int Position { get; set; }

    public readonly int Length => _message.Length;

    public byte Byte() => Bytes(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32BigEndian(Bytes(4));

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _message.Length - Position)
        {
            throw new DnsFormatException($"it ends within a field at octet {Position}");
        }

        ReadOnlySpan<byte> bytes = _message.Slice(Position, count);
        Position += count;
        return bytes;
    }

    /// <summary>
    /// Reads a name, compressed or not (RFC 1035 section 4.1.4). A pointer must lead to before everything read so far of this name, so
    /// loops are impossible. The pointers per name and per message are limited, so reading takes linear time.
    /// </summary>
    public DnsName Name()
    {
        Span<byte> name = stackalloc byte[DnsName.MaximumLength];
        int length = 0;
        int earliest = Position;
        int afterFirstPointer = -1;
        int pointers = 0;
        while (true)
        {
            byte size = Byte();
            if (size >= 0xC0)
            {
                if (++pointers > MaximumPointers || --_pointersLeft < 0)
                {
                    throw new DnsFormatException($"its compressed names lead from pointer to pointer at octet {Position - 1}");
                }

                int target = ((size & 0x3F) << 8) | Byte();
                afterFirstPointer = afterFirstPointer < 0 ? Position : afterFirstPointer;
                earliest = PointerTarget(target, earliest);
                Position = earliest;
                continue;
            }

            if (size > DnsName.MaximumLabelLength || length + size + 1 > name.Length)
            {
                throw new DnsFormatException($"it has a wrong label or an overlong name at octet {Position - 1}");
            }

            name[length++] = size;
            Bytes(size).CopyTo(name[length..]);
            length += size;
            if (size == 0)
            {
                break;
            }
        }

        Position = afterFirstPointer < 0 ? Position : afterFirstPointer;
        return DnsName.FromWire(name[..length]);
    }

    private readonly int PointerTarget(int target, int earliest) =>
        target >= DnsHeader.Size && target < earliest
            ? target
            : throw new DnsFormatException($"a compressed name points from octet {Position - 2} to octet {target}");
}
