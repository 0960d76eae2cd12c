using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>Names a server that is an authority for the zone (RFC 1035 section 3.3.11).</summary>
public sealed class NsRecord : DnsRecord
{
    /// <summary>Makes an NS record.</summary>
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
