using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Transport;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>
/// Changes to one zone, applied all at once or not at all, in the order in which they are added (RFC 2136 section 2.5). Not
/// thread-safe.
/// </summary>
public sealed class DnsUpdate
{
    // RFC 2136 encodes the kind of change in the class.
    private const ushort ClassIn = 1;
    private const ushort ClassNone = 254;
    private const ushort ClassAny = 255;

    private readonly List<Action<WireWriter>> _operations = [];

    /// <summary>Creates an update without changes.</summary>
    /// <param name="zone">The zone's apex.</param>
    public DnsUpdate(DnsName zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        Zone = zone;
    }

    /// <summary>The zone to change.</summary>
    public DnsName Zone { get; }

    /// <summary>Adds a record to its set. If the record already exists, only its time to live changes.</summary>
    /// <exception cref="ArgumentException">The record's name is not within the zone.</exception>
    public DnsUpdate Add(DnsRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        uint timeToLive = (uint)record.TimeToLive.TotalSeconds;
        return Append(record.Name, writer => writer.Record(record, ClassIn, timeToLive));
    }

    /// <summary>Deletes a single record (type and data) and keeps the others in its set. If it does not exist, nothing happens.</summary>
    /// <exception cref="ArgumentException">The record's name is not within the zone.</exception>
    public DnsUpdate Delete(DnsRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return Append(record.Name, writer => writer.Record(record, ClassNone, timeToLive: 0));
    }

    /// <summary>Deletes all records of a type at a name.</summary>
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

/// <summary>Sends an update and checks the response.</summary>
internal sealed class UpdateExchange(DnsTransport transport, TimeProvider timeProvider)
{
    // The limit of TCP's length prefix.
    private const int MaximumLength = ushort.MaxValue;

    /// <summary>Returns NOERROR; throws for any other code.</summary>
    public async Task<DnsResponseCode> SendAsync(IPEndPoint server, DnsUpdate update, TsigKey? key, CancellationToken cancellationToken)
    {
        ushort id = DnsRequest.NewId();
        byte[] bytes = update.Write(id);
        var signature = key is null ? null : TsigSignature.Of(bytes, key, timeProvider.GetUtcNow());
        bytes = signature?.SignedRequest ?? bytes;
        if (bytes.Length > MaximumLength)
        {
            throw new ArgumentException($"The update has {bytes.Length} octets; a message can hold {MaximumLength}.", nameof(update));
        }

        var request = new DnsRequest(id, DnsOpCode.Update, new DnsQuestion(update.Zone, DnsRecordType.SOA), bytes);
        (DnsMessage message, byte[] answer) = await transport.SendOverTcpAsync(server, request, cancellationToken).ConfigureAwait(false);
        signature?.Verify(server, message, answer, timeProvider.GetUtcNow());
        return message.Code == DnsResponseCode.NOERROR
            ? message.Code
            : throw new DnsResponseCodeException(server, update.Zone, message.Code);
    }
}
