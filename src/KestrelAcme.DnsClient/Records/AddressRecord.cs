using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>An address of a host: an A record for IPv4 (RFC 1035), an AAAA record for IPv6 (RFC 3596).</summary>
public sealed class AddressRecord : DnsRecord
{
    /// <summary>Makes an A or an AAAA record, as the address asks.</summary>
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
