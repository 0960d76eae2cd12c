using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>Says that another name stands for this one (RFC 1035 section 3.3.1).</summary>
public sealed class CnameRecord : DnsRecord
{
    /// <summary>Makes a CNAME record.</summary>
    public CnameRecord(DnsName name, TimeSpan timeToLive, DnsName target)
        : base(name, DnsRecordType.CNAME, timeToLive)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
    }

    /// <summary>The name to look at instead.</summary>
    public DnsName Target { get; }

    internal override void WriteData(WireWriter writer) => writer.Name(Target);
}
