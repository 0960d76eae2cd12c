using System.Buffers.Binary;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>A message that was parsed completely and without errors.</summary>
internal sealed class DnsMessage
{
    public required DnsHeader Header { get; init; }

    public DnsQuestion? Question { get; init; }

    public required IReadOnlyList<DnsRecord> Answers { get; init; }

    public required IReadOnlyList<DnsRecord> Authority { get; init; }

    /// <summary>The upper bits of the response code if the message has an OPT record; otherwise null.</summary>
    public byte? ExtendedCode { get; init; }

    public TsigRecord? Tsig { get; init; }

    public DnsResponseCode Code => (DnsResponseCode)((ExtendedCode ?? 0) << 4 | (int)Header.Code);
}

/// <summary>The twelve octets at the start of each message (RFC 1035 section 4.1.1).</summary>
internal readonly record struct DnsHeader(
    ushort Id, ushort Flags, ushort QuestionCount, ushort AnswerCount, ushort AuthorityCount, ushort AdditionalCount)
{
    public const int Size = 12;
    public const ushort ResponseFlag = 0x8000;
    public const ushort AuthoritativeFlag = 0x0400;
    public const ushort TruncatedFlag = 0x0200;
    public const ushort RecursionDesiredFlag = 0x0100;
    public const ushort RecursionAvailableFlag = 0x0080;

    public bool IsResponse => (Flags & ResponseFlag) != 0;

    public bool IsAuthoritative => (Flags & AuthoritativeFlag) != 0;

    public bool IsTruncated => (Flags & TruncatedFlag) != 0;

    public bool IsRecursionAvailable => (Flags & RecursionAvailableFlag) != 0;

    public DnsOpCode OpCode => (DnsOpCode)((Flags >> 11) & 0xF);

    public DnsResponseCode Code => (DnsResponseCode)(Flags & 0xF);

    /// <summary>Reads the header of a message that is known to be long enough.</summary>
    public static DnsHeader Read(ReadOnlySpan<byte> message) => new(
        BinaryPrimitives.ReadUInt16BigEndian(message),
        BinaryPrimitives.ReadUInt16BigEndian(message[2..]),
        BinaryPrimitives.ReadUInt16BigEndian(message[4..]),
        BinaryPrimitives.ReadUInt16BigEndian(message[6..]),
        BinaryPrimitives.ReadUInt16BigEndian(message[8..]),
        BinaryPrimitives.ReadUInt16BigEndian(message[10..]));
}

/// <summary>The kind of a request.</summary>
internal enum DnsOpCode
{
    /// <summary>A query (RFC 1035).</summary>
    Query = 0,

    /// <summary>An update of a zone (RFC 2136).</summary>
    Update = 5,
}

/// <summary>The question of a query; in updates, the zone.</summary>
internal sealed record DnsQuestion(DnsName Name, DnsRecordType Type);
