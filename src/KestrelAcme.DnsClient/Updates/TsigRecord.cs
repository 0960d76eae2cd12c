using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>The record that carries a signature (RFC 8945 section 4.2).</summary>
internal sealed class TsigRecord
{
    public const ushort ClassAny = 255;

    public required DnsName KeyName { get; init; }

    public required DnsName Algorithm { get; init; }

    /// <summary>The time of the signature in seconds since 1970, in 48 bits.</summary>
    public required long TimeSigned { get; init; }

    /// <summary>The permitted difference between the clocks, in seconds.</summary>
    public required ushort Fudge { get; init; }

    public byte[] Mac { get; init; } = [];

    public ushort OriginalId { get; init; }

    public TsigError Error { get; init; }

    public byte[] OtherData { get; init; } = [];

    /// <summary>The offset of the record in its message.</summary>
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

    /// <summary>Returns the fields of this record that a digest covers in addition to the message (RFC 8945 section 4.3.3).</summary>
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

/// <summary>A server's verdict on a signature (RFC 8945 section 3). Other numbers may occur.</summary>
public enum TsigError
{
    /// <summary>No error.</summary>
    NOERROR = 0,

    /// <summary>The signature is invalid: the secrets differ.</summary>
    BADSIG = 16,

    /// <summary>The server does not know a key with this name and algorithm.</summary>
    BADKEY = 17,

    /// <summary>The clocks differ too much.</summary>
    BADTIME = 18,

    /// <summary>The signature is truncated too much.</summary>
    BADTRUNC = 22,
}
