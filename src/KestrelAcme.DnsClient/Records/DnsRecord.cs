using System.Net;
using System.Net.Sockets;
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
