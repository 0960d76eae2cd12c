using System.Text;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>Text of one or more strings of at most 255 octets each (RFC 1035 section 3.3.14).</summary>
public sealed class TxtRecord : DnsRecord
{
    private const int MaximumStringLength = 255;

    /// <summary>Creates a TXT record from UTF-8 text, split into as many strings as needed.</summary>
    /// <exception cref="ArgumentException">The text is too long for a record (about 65,000 octets).</exception>
    public TxtRecord(DnsName name, TimeSpan timeToLive, string text)
        : this(name, timeToLive, Split(text))
    {
    }

    internal TxtRecord(DnsName name, TimeSpan timeToLive, IReadOnlyList<ReadOnlyMemory<byte>> strings)
        : base(name, DnsRecordType.TXT, timeToLive)
    {
        Strings = strings;
        Text = Encoding.UTF8.GetString([.. strings.SelectMany(part => part.ToArray())]);
    }

    /// <summary>The strings as octets.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Strings { get; }

    /// <summary>All strings, concatenated and read as UTF-8.</summary>
    public string Text { get; }

    internal override void WriteData(WireWriter writer)
    {
        foreach (ReadOnlyMemory<byte> part in Strings)
        {
            writer.Byte((byte)part.Length);
            writer.Bytes(part.Span);
        }
    }

    private static ReadOnlyMemory<byte>[] Split(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] octets = Encoding.UTF8.GetBytes(text);
        if (octets.Length > 65_000)
        {
            throw new ArgumentException($"A TXT record can hold about 65,000 octets, not {octets.Length}.", nameof(text));
        }

        return octets.Length == 0 ? [default] : [.. octets.Chunk(MaximumStringLength).Select(part => (ReadOnlyMemory<byte>)part)];
    }
}
