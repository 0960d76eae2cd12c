using System.Security.Cryptography;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Transport;

/// <summary>One message to send, with what is needed to tell its answer from anything else that arrives.</summary>
internal sealed class DnsRequest(ushort id, DnsOpCode opCode, DnsQuestion question, byte[] bytes)
{
    // The size of the DNS flag day 2020: it needs no fragments on any path that carries IPv6.
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

    /// <summary>Whether a message answers this one: its id, its kind and the question it repeats.</summary>
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

    // RFC 2136 section 3.8 lets an answer drop all sections; a server that could not read a query cannot repeat it.
    private bool MayOmitQuestion(DnsResponseCode code) =>
        opCode == DnsOpCode.Update
        || code is DnsResponseCode.FORMERR or DnsResponseCode.SERVFAIL or DnsResponseCode.NOTIMP or DnsResponseCode.REFUSED;

    // The first name in a message has nothing before it to point at, so the octets compare as they are.
    private bool RepeatsQuestion(ReadOnlySpan<byte> message)
    {
        int length = question.Name.Wire.Length;
        return message.Length >= DnsHeader.Size + length + 4
            && AsciiCase.EqualsIgnoreCase(message.Slice(DnsHeader.Size, length), question.Name.Wire)
            && message.Slice(DnsHeader.Size + length, 4).SequenceEqual(Bytes.AsSpan(DnsHeader.Size + length, 4));
    }
}
