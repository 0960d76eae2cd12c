using System.Security.Cryptography;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>A message to send, with everything that distinguishes its response from other messages.</summary>
internal sealed class DnsRequest(ushort id, DnsOpCode opCode, DnsQuestion question, byte[] bytes)
{
    // The size recommended by DNS Flag Day 2020: it is never fragmented on paths that support IPv6.
    private const int UdpPayloadSize = 1232;

    public byte[] Bytes { get; } = bytes;

    public static ushort NewId() => (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);

    public static DnsRequest Query(DnsQuestion question, bool recursionDesired, bool edns)
    {
        ushort id = NewId();
        var writer = new WireWriter();
        ushort flags = recursionDesired ? DnsHeader.RecursionDesiredFlag : (ushort)0;
        writer.Header(new DnsHeader(id, flags, QuestionCount: 1, 0, 0, edns ? (ushort)1 : (ushort)0));
        writer.Question(question);
        if (edns)
        {
            writer.Record(DnsName.Root, DnsRecordType.OPT, UdpPayloadSize, timeToLive: 0, []);
        }

        return new DnsRequest(id, DnsOpCode.Query, question, writer.ToArray());
    }

    /// <summary>Whether a message is the response to this one: the same ID, kind and question.</summary>
    public bool IsAnsweredBy(ReadOnlySpan<byte> message)
    {
        if (message.Length < DnsHeader.Size)
        {
            return false;
        }

        DnsHeader header = DnsHeader.Read(message);
        if (header.Id != id || !header.IsResponse || header.OpCode != opCode)
        {
            return false;
        }

        return header.QuestionCount == 0 ? MayOmitQuestion(header.Code) : header.QuestionCount == 1 && RepeatsQuestion(message);
    }

    // RFC 2136 section 3.8 allows responses without sections, and a server that could not read a query cannot repeat its question.
    private bool MayOmitQuestion(DnsResponseCode code) =>
        opCode == DnsOpCode.Update
        || code is DnsResponseCode.FORMERR or DnsResponseCode.SERVFAIL or DnsResponseCode.NOTIMP or DnsResponseCode.REFUSED;

    // The first name in a message has nothing before it to point at, so the octets can be compared directly.
    private bool RepeatsQuestion(ReadOnlySpan<byte> message)
    {
        int length = question.Name.Wire.Length;
        return message.Length >= DnsHeader.Size + length + 4
            && AsciiCase.EqualsIgnoreCase(message.Slice(DnsHeader.Size, length), question.Name.Wire)
            && message.Slice(DnsHeader.Size + length, 4).SequenceEqual(Bytes.AsSpan(DnsHeader.Size + length, 4));
    }
}
