using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>A record of a type or class that this library does not read.</summary>
public sealed class OpaqueRecord : DnsRecord
{
    internal OpaqueRecord(DnsName name, DnsRecordType type, TimeSpan timeToLive, ReadOnlyMemory<byte> data)
        : base(name, type, timeToLive) => Data = data;

    /// <summary>The record's data as it came. Names in it may be compressed.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    internal override void WriteData(WireWriter writer) => writer.Bytes(Data.Span);
}
