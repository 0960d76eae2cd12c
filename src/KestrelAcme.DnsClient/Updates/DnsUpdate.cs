using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>
/// Changes of one zone, made all at once or not at all, in the order in which they are added (RFC 2136 section 2.5). Not safe for use
/// by several threads.
/// </summary>
public sealed class DnsUpdate
{
    // What RFC 2136 writes into the class to say what is to be done.
    private const ushort ClassIn = 1;
    private const ushort ClassNone = 254;
    private const ushort ClassAny = 255;

    private readonly List<Action<WireWriter>> _operations = [];

    /// <summary>Starts an update without changes.</summary>
    /// <param name="zone">The zone's apex.</param>
    public DnsUpdate(DnsName zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        Zone = zone;
    }

    /// <summary>The zone that changes.</summary>
    public DnsName Zone { get; }

    /// <summary>Adds a record to its set; a record that is already there stays as it is, but for its time to live.</summary>
    /// <exception cref="ArgumentException">The record's name is not within the zone.</exception>
    public DnsUpdate Add(DnsRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        uint timeToLive = (uint)record.TimeToLive.TotalSeconds;
        return Append(record.Name, writer => writer.Record(record, ClassIn, timeToLive));
    }

    /// <summary>Deletes this one record (type and data) of a set and leaves the others; if it is missing, nothing happens.</summary>
    /// <exception cref="ArgumentException">The record's name is not within the zone.</exception>
    public DnsUpdate Delete(DnsRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return Append(record.Name, writer => writer.Record(record, ClassNone, timeToLive: 0));
    }

    /// <summary>Deletes all records of a type that a name has.</summary>
    /// <exception cref="ArgumentException">The name is not within the zone.</exception>
    public DnsUpdate DeleteSet(DnsName name, DnsRecordType type)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Append(name, writer => writer.Record(name, type, ClassAny, timeToLive: 0, []));
    }

    internal byte[] Write(ushort id)
    {
        var writer = new WireWriter();
        const int opCodeBits = (int)DnsOpCode.Update << 11;
        writer.Header(new DnsHeader(id, opCodeBits, QuestionCount: 1, 0, (ushort)_operations.Count, 0));
        writer.Question(new DnsQuestion(Zone, DnsRecordType.SOA));
        _operations.ForEach(write => write(writer));
        return writer.ToArray();
    }

    private DnsUpdate Append(DnsName name, Action<WireWriter> operation)
    {
        if (!name.IsSubdomainOf(Zone))
        {
            throw new ArgumentException($"{name} is not within the zone {Zone}.", nameof(name));
        }

        _operations.Add(operation);
        return this;
    }
}
