using KestrelAcme.DnsClient.Messages;

namespace KestrelAcme.DnsClient.Records;

/// <summary>A resource record of the class IN. Immutable. What it holds comes from strangers: escape it before showing it.</summary>
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
