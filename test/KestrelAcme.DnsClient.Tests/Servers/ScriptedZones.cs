using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Tests.Servers;

/// <summary>
/// Records with which a scripted server responds, like a resolver: it follows one CNAME, and negative responses have the SOA.
/// </summary>
internal sealed class ScriptedZones(params DnsRecord[] records)
{
    private readonly Dictionary<(DnsName, DnsRecordType), DnsResponseCode> _failures = [];

    /// <summary>Whether negative responses have no SOA, as from some home routers.</summary>
    public bool CutsAuthority { get; init; }

    /// <summary>Whether a wildcard matches only one label, contrary to RFC 4592.</summary>
    public bool WildcardsAreOneLabel { get; init; }

    /// <summary>Whether responses claim to be authoritative.</summary>
    public bool IsAuthority { get; init; }

    public ScriptedZones Fail(string name, DnsRecordType type, DnsResponseCode code)
    {
        _failures[(DnsName.Parse(name), type)] = code;
        return this;
    }

    public byte[] Answer(byte[] request)
    {
        DnsQuestion question = MessageReader.Read(request).Question!;
        ushort flags = IsAuthority ? DnsHeader.AuthoritativeFlag : DnsHeader.RecursionAvailableFlag;
        if (_failures.TryGetValue((question.Name, question.Type), out DnsResponseCode code))
        {
            return Reply.To(request, code: code, flags: flags, edns: true);
        }

        DnsRecord[] answers =
            [.. OwnedBy(question.Name).Where(record => record.Type == question.Type || record.Type == DnsRecordType.CNAME)];
        if (question.Type != DnsRecordType.CNAME && answers.OfType<CnameRecord>().FirstOrDefault() is { } alias)
        {
            answers = [.. answers, .. records.Where(record => record.Name == alias.Target && record.Type == question.Type)];
        }

        DnsRecord[] authority = [.. records.OfType<SoaRecord>()
            .Where(soa => question.Name.IsSubdomainOf(soa.Name)).OrderByDescending(soa => soa.Name.LabelCount).Take(1)];
        return Reply.To(request, answers, answers.Length > 0 || CutsAuthority ? [] : authority, flags: flags, edns: true);
    }

    /// <summary>Returns the records of a name, or those that a wildcard generates for one that does not exist (RFC 4592).</summary>
    private IEnumerable<DnsRecord> OwnedBy(DnsName name)
    {
        DnsName encloser = name;
        while (!records.Any(record => record.Name.IsSubdomainOf(encloser)) && encloser.Parent is { } parent)
        {
            encloser = parent;
        }

        return encloser == name ? records.Where(record => record.Name == name)
            : encloser.IsRoot || (WildcardsAreOneLabel && name.Parent != encloser) ? []
            : records.Where(record => record.Name == DnsName.Parse($"*.{encloser}")).OfType<CnameRecord>()
                .Select(record => new CnameRecord(name, record.TimeToLive, record.Target));
    }
}
