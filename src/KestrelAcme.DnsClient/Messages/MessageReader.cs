using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.DnsClient.Messages;

/// <summary>Parses messages (RFC 1035 section 4). It throws nothing but <see cref="DnsFormatException"/>.</summary>
internal static class MessageReader
{
    /// <exception cref="DnsFormatException">The message is malformed; the text completes "the response is malformed:".</exception>
    public static DnsMessage Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < DnsHeader.Size)
        {
            throw new DnsFormatException("it is shorter than a header");
        }

        DnsHeader header = DnsHeader.Read(message);
        var reader = new WireReader(message) { Position = DnsHeader.Size };
        DnsQuestion? question = ReadQuestion(header, ref reader);
        List<DnsRecord> answers = ReadSection(header.AnswerCount, ref reader);
        List<DnsRecord> authority = ReadSection(header.AuthorityCount, ref reader);
        (byte? extendedCode, TsigRecord? tsig) = ReadAdditional(header.AdditionalCount, ref reader);
        return reader.Position == reader.Length
            ? new DnsMessage
            {
                Header = header,
                Question = question,
                Answers = answers,
                Authority = authority,
                ExtendedCode = extendedCode,
                Tsig = tsig,
            }
            : throw new DnsFormatException($"{reader.Length - reader.Position} octets follow the last record");
    }

    private static DnsQuestion? ReadQuestion(DnsHeader header, ref WireReader reader)
    {
        if (header.QuestionCount > 1)
        {
            throw new DnsFormatException($"it has {header.QuestionCount} questions");
        }

        if (header.QuestionCount == 0)
        {
            return null;
        }

        var question = new DnsQuestion(reader.Name(), (DnsRecordType)reader.UInt16());
        reader.UInt16();
        return question;
    }

    private static List<DnsRecord> ReadSection(int count, ref WireReader reader)
    {
        // The list is not sized by the count, which may be far larger than the message.
        var records = new List<DnsRecord>();
        for (int i = 0; i < count; i++)
        {
            records.Add(RecordReader.Read(RecordHeader.Read(ref reader), ref reader));
        }

        return records;
    }

    private static (byte? ExtendedCode, TsigRecord? Tsig) ReadAdditional(int count, ref WireReader reader)
    {
        byte? extendedCode = null;
        for (int i = 0; i < count; i++)
        {
            int start = reader.Position;
            RecordHeader header = RecordHeader.Read(ref reader);
            switch (header.Type)
            {
                case DnsRecordType.OPT when extendedCode is null && header.Name.IsRoot:
                    extendedCode = (byte)(header.TimeToLive >> 24);
                    reader.Position = header.DataEnd;
                    break;
                case DnsRecordType.TSIG when i == count - 1:
                    return (extendedCode, TsigRecord.Read(start, header, ref reader));
                case DnsRecordType.OPT or DnsRecordType.TSIG:
                    throw new DnsFormatException($"its {header.Type} record is misplaced");
                default:
                    // Ignored, but it must be well-formed.
                    RecordReader.Read(header, ref reader);
                    break;
            }
        }

        return (extendedCode, null);
    }
}
