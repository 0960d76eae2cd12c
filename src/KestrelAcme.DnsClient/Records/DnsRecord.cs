using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>A resource record of the class IN. Immutable. Its content is untrusted: escape it before showing it.</summary>
public abstract class DnsRecord
{
    private protected DnsRecord(DnsName name, DnsRecordType type, TimeSpan timeToLive)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfNegative(timeToLive.Ticks, nameof(timeToLive));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeToLive.TotalSeconds, int.MaxValue, nameof(timeToLive));
        Name = name;
        Type = type;
        TimeToLive = timeToLive;
    }

    /// <summary>The name that owns the record.</summary>
    public DnsName Name { get; }

    /// <summary>The record's type.</summary>
    public DnsRecordType Type { get; }

    /// <summary>How long the record may be cached, in whole seconds.</summary>
    public TimeSpan TimeToLive { get; }

    internal abstract void WriteData(WireWriter writer);
}

/// <summary>An address of a host: an A record for IPv4 (RFC 1035), or an AAAA record for IPv6 (RFC 3596).</summary>
public sealed class AddressRecord : DnsRecord
{
    /// <summary>Creates an A or AAAA record, depending on the address.</summary>
    public AddressRecord(DnsName name, TimeSpan timeToLive, IPAddress address)
        : base(name, TypeOf(address), timeToLive) => Address = address;

    /// <summary>The address.</summary>
    public IPAddress Address { get; }

    internal override void WriteData(WireWriter writer) => writer.Bytes(Address.GetAddressBytes());

    private static DnsRecordType TypeOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.AddressFamily == AddressFamily.InterNetwork ? DnsRecordType.A : DnsRecordType.AAAA;
    }
}

/// <summary>An alias: another name that replaces this one (RFC 1035 section 3.3.1).</summary>
public sealed class CnameRecord : DnsRecord
{
    /// <summary>Creates a CNAME record.</summary>
    public CnameRecord(DnsName name, TimeSpan timeToLive, DnsName target)
        : base(name, DnsRecordType.CNAME, timeToLive)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
    }

    /// <summary>The name that replaces this one.</summary>
    public DnsName Target { get; }

    internal override void WriteData(WireWriter writer) => writer.Name(Target);
}

/// <summary>A name server that is authoritative for the zone (RFC 1035 section 3.3.11).</summary>
public sealed class NsRecord : DnsRecord
{
    /// <summary>Creates an NS record.</summary>
    public NsRecord(DnsName name, TimeSpan timeToLive, DnsName server)
        : base(name, DnsRecordType.NS, timeToLive)
    {
        ArgumentNullException.ThrowIfNull(server);
        Server = server;
    }

    /// <summary>The server's name.</summary>
    public DnsName Server { get; }

    internal override void WriteData(WireWriter writer) => writer.Name(Server);
}

/// <summary>A record of a type or class that this library does not parse.</summary>
public sealed class OpaqueRecord : DnsRecord
{
    internal OpaqueRecord(DnsName name, DnsRecordType type, TimeSpan timeToLive, ReadOnlyMemory<byte> data)
        : base(name, type, timeToLive) => Data = data;

    /// <summary>The record's data as received. Names in it may be compressed.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    internal override void WriteData(WireWriter writer) => writer.Bytes(Data.Span);
}

/// <summary>The start of a zone: its owner is the zone's apex (RFC 1035 section 3.3.13).</summary>
public sealed class SoaRecord : DnsRecord
{
    internal SoaRecord(DnsName name, TimeSpan timeToLive)
        : base(name, DnsRecordType.SOA, timeToLive)
    {
    }

    /// <summary>The zone's primary server (MNAME), which accepts updates.</summary>
    public required DnsName PrimaryServer { get; init; }

    /// <summary>The mailbox of the person in charge (RNAME), in the form of a name.</summary>
    public required DnsName ResponsibleMailbox { get; init; }

    /// <summary>The version of the zone, which secondaries compare (RFC 1982 arithmetic).</summary>
    public required uint Serial { get; init; }

    /// <summary>How often secondaries check for a new version, in seconds.</summary>
    public required uint Refresh { get; init; }

    /// <summary>How soon secondaries check again after a failure, in seconds.</summary>
    public required uint Retry { get; init; }

    /// <summary>After how long secondaries stop answering if the primary does not respond, in seconds.</summary>
    public required uint Expire { get; init; }

    /// <summary>How long a negative response may be cached, in seconds (RFC 2308).</summary>
    public required uint Minimum { get; init; }

    internal override void WriteData(WireWriter writer)
    {
        writer.Name(PrimaryServer);
        writer.Name(ResponsibleMailbox);
        foreach (uint value in (ReadOnlySpan<uint>)[Serial, Refresh, Retry, Expire, Minimum])
        {
            writer.UInt32(value);
        }
    }
}

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
