using System.Text;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>A property of a domain's rules for CAs (RFC 8659 section 4.1).</summary>
public sealed class CaaRecord : DnsRecord
{
    private const byte IssuerCriticalFlag = 0x80;

    /// <summary>Creates a CAA record.</summary>
    /// <exception cref="ArgumentException">The tag is not 1 to 255 ASCII letters and digits.</exception>
    public CaaRecord(DnsName name, TimeSpan timeToLive, byte flags, string tag, string value)
        : this(name, timeToLive, flags, tag, Encoding.UTF8.GetBytes(value))
    {
        if (tag.Length is 0 or > 255 || !tag.All(char.IsAsciiLetterOrDigit))
        {
            throw new ArgumentException("A CAA tag is 1 to 255 ASCII letters and digits.", nameof(tag));
        }
    }

    internal CaaRecord(DnsName name, TimeSpan timeToLive, byte flags, string tag, ReadOnlyMemory<byte> value)
        : base(name, DnsRecordType.CAA, timeToLive)
    {
        Flags = flags;
        Tag = tag;
        RawValue = value;
        Value = Encoding.UTF8.GetString(value.Span);
    }

    /// <summary>The flags octet.</summary>
    public byte Flags { get; }

    /// <summary>Whether a CA that does not know the tag must not issue.</summary>
    public bool IsCritical => (Flags & IssuerCriticalFlag) != 0;

    /// <summary>The property's tag (<c>issue</c>, <c>issuewild</c>, <c>iodef</c>, …), as written. Compare it case-insensitively.</summary>
    public string Tag { get; }

    /// <summary>The value, read as UTF-8.</summary>
    public string Value { get; }

    private ReadOnlyMemory<byte> RawValue { get; }

    internal override void WriteData(WireWriter writer)
    {
        writer.Byte(Flags);
        writer.Byte((byte)Tag.Length);
        writer.Bytes(Encoding.Latin1.GetBytes(Tag));
        writer.Bytes(RawValue.Span);
    }
}
