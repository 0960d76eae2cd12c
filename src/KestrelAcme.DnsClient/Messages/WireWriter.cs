using System.Buffers;
using System.Buffers.Binary;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>Writes a message. Names are not compressed: requests are small, and digests need the plain form.</summary>
internal sealed class WireWriter
{
    private const ushort ClassIn = 1;

    private readonly ArrayBufferWriter<byte> _message = new();

    public void Byte(byte value) => _message.Write([value]);

    public void UInt16(int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        _message.Write(bytes);
    }

    public void UInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _message.Write(bytes);
    }

    public void Bytes(ReadOnlySpan<byte> value) => _message.Write(value);

    public void Name(DnsName name) => _message.Write(name.Wire);

    public void Header(DnsHeader header)
    {
        UInt16(header.Id);
        UInt16(header.Flags);
        UInt16(header.QuestionCount);
        UInt16(header.AnswerCount);
        UInt16(header.AuthorityCount);
        UInt16(header.AdditionalCount);
    }

    public void Question(DnsQuestion question)
    {
        Name(question.Name);
        UInt16((int)question.Type);
        UInt16(ClassIn);
    }

    public void Record(DnsRecord record) => Record(record, ClassIn, (uint)record.TimeToLive.TotalSeconds);

    public void Record(DnsRecord record, ushort recordClass, uint timeToLive)
    {
        var data = new WireWriter();
        record.WriteData(data);
        Record(record.Name, record.Type, recordClass, timeToLive, data.ToArray());
    }

    public void Record(DnsName name, DnsRecordType type, ushort recordClass, uint timeToLive, ReadOnlySpan<byte> data)
    {
        if (data.Length > ushort.MaxValue)
        {
            throw new ArgumentException($"The {type} record of {name} has {data.Length} octets; {ushort.MaxValue} fit.", nameof(data));
        }

        Name(name);
        UInt16((int)type);
        UInt16(recordClass);
        UInt32(timeToLive);
        UInt16(data.Length);
        Bytes(data);
    }

    public byte[] ToArray() => _message.WrittenSpan.ToArray();
}
