using System.Net;
using System.Text;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>Parses the data of records.</summary>
internal static class RecordReader
{
    private const ushort ClassIn = 1;

    public static DnsRecord Read(RecordHeader header, ref WireReader reader)
    {
        // RFC 2181 section 8: a time to live with the top bit set counts as zero.
        TimeSpan timeToLive = TimeSpan.FromSeconds(header.TimeToLive > int.MaxValue ? 0 : header.TimeToLive);
        DnsName name = header.Name;
        DnsRecord record = (header.Class == ClassIn ? header.Type : DnsRecordType.None) switch
        {
            DnsRecordType.A => new AddressRecord(name, timeToLive, new IPAddress(reader.Bytes(4))),
            DnsRecordType.AAAA => new AddressRecord(name, timeToLive, new IPAddress(reader.Bytes(16))),
            DnsRecordType.CNAME => new CnameRecord(name, timeToLive, reader.Name()),
            DnsRecordType.NS => new NsRecord(name, timeToLive, reader.Name()),
            DnsRecordType.SOA => ReadSoa(name, timeToLive, ref reader),
            DnsRecordType.TXT => ReadTxt(header, timeToLive, ref reader),
            DnsRecordType.CAA => ReadCaa(header, timeToLive, ref reader),
            _ => new OpaqueRecord(name, header.Type, timeToLive, reader.Bytes(header.DataEnd - reader.Position).ToArray()),
        };
        return reader.Position == header.DataEnd
            ? record
            : throw new DnsFormatException($"the {header.Type} record of {name} is not as long as it says");
    }

    private static SoaRecord ReadSoa(DnsName name, TimeSpan timeToLive, ref WireReader reader) => new(name, timeToLive)
    {
        PrimaryServer = reader.Name(),
        ResponsibleMailbox = reader.Name(),
        Serial = reader.UInt32(),
        Refresh = reader.UInt32(),
        Retry = reader.UInt32(),
        Expire = reader.UInt32(),
        Minimum = reader.UInt32(),
    };

    private static TxtRecord ReadTxt(RecordHeader header, TimeSpan timeToLive, ref WireReader reader)
    {
        var strings = new List<ReadOnlyMemory<byte>>(1);
        while (reader.Position < header.DataEnd)
        {
            strings.Add(reader.Bytes(reader.Byte()).ToArray());
        }

        return new TxtRecord(header.Name, timeToLive, strings);
    }

    private static CaaRecord ReadCaa(RecordHeader header, TimeSpan timeToLive, ref WireReader reader)
    {
        byte flags = reader.Byte();
        int tagLength = reader.Byte();
        string tag = Encoding.Latin1.GetString(reader.Bytes(tagLength));
        return tagLength > 0
            ? new CaaRecord(header.Name, timeToLive, flags, tag, reader.Bytes(header.DataEnd - reader.Position).ToArray())
            : throw new DnsFormatException($"a CAA record of {header.Name} has no tag");
    }
}

/// <summary>The fields before a record's data. <see cref="DataEnd"/> is within the message.</summary>
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
