using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>The record that carries a signature (RFC 8945 section 4.2).</summary>
internal sealed class TsigRecord
{
    public const ushort ClassAny = 255;

    public required DnsName KeyName { get; init; }

    public required DnsName Algorithm { get; init; }

    /// <summary>Seconds since 1970, in 48 bits.</summary>
    public required long TimeSigned { get; init; }

    /// <summary>By how many seconds the clocks may differ.</summary>
    public required ushort Fudge { get; init; }

    public byte[] Mac { get; init; } = [];

    public ushort OriginalId { get; init; }

    public TsigError Error { get; init; }

    public byte[] OtherData { get; init; } = [];

    /// <summary>Where the record starts in its message.</summary>
    public int Start { get; init; }

    public static TsigRecord Read(int start, RecordHeader header, ref WireReader reader)
    {
        var record = new TsigRecord
        {
            Start = start,
            KeyName = header.Name,
            Algorithm = reader.Name(),
            TimeSigned = ((long)reader.UInt16() << 32) | reader.UInt32(),
            Fudge = reader.UInt16(),
            Mac = reader.Bytes(reader.UInt16()).ToArray(),
            OriginalId = reader.UInt16(),
            Error = (TsigError)reader.UInt16(),
            OtherData = reader.Bytes(reader.UInt16()).ToArray(),
        };
        return reader.Position == header.DataEnd
            ? record
            : throw new DnsFormatException("its TSIG record is not as long as it says");
    }

    /// <summary>What a digest covers of this record besides the message (RFC 8945 section 4.3.3).</summary>
    public byte[] ToVariables()
    {
        var writer = new WireWriter();
        writer.Bytes(KeyName.ToCanonicalWire());
        writer.UInt16(ClassAny);
        writer.UInt32(0);
        writer.Bytes(Algorithm.ToCanonicalWire());
        WriteTime(writer);
        writer.UInt16((int)Error);
        writer.UInt16(OtherData.Length);
        writer.Bytes(OtherData);
        return writer.ToArray();
    }

    public byte[] ToData()
    {
        var writer = new WireWriter();
        writer.Name(Algorithm);
        WriteTime(writer);
        writer.UInt16(Mac.Length);
        writer.Bytes(Mac);
        writer.UInt16(OriginalId);
        writer.UInt16((int)Error);
        writer.UInt16(OtherData.Length);
        writer.Bytes(OtherData);
        return writer.ToArray();
    }

    private void WriteTime(WireWriter writer)
    {
        writer.UInt16((int)(TimeSigned >> 32));
        writer.UInt32((uint)TimeSigned);
        writer.UInt16(Fudge);
    }
}
