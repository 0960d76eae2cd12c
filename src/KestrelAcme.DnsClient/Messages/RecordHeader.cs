using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>What stands before a record's data; <see cref="DataEnd"/> lies within the message.</summary>
internal readonly record struct RecordHeader(DnsName Name, DnsRecordType Type, ushort Class, uint TimeToLive, int DataEnd)
{
    public static RecordHeader Read(ref WireReader reader)
    {
        DnsName name = reader.Name();
        var type = (DnsRecordType)reader.UInt16();
        ushort recordClass = reader.UInt16();
        uint timeToLive = reader.UInt32();
        int length = reader.UInt16();
        return length <= reader.Length - reader.Position
            ? new RecordHeader(name, type, recordClass, timeToLive, reader.Position + length)
            : throw new DnsFormatException($"the data of a record at octet {reader.Position} goes beyond its end");
    }
}
