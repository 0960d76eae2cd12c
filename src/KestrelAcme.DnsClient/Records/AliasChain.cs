using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.Records;

/// <summary>A name and the CNAMEs that lead on from it.</summary>
internal sealed class AliasChain(DnsName start)
{
    private const int MaximumHops = 16;

    private readonly List<DnsName> _names = [start];

    public IReadOnlyList<DnsName> Names => _names;

    public DnsName End => _names[^1];

    /// <summary>Goes along the CNAMEs of an answer as far as they lead. Returns whether they led anywhere.</summary>
    /// <exception cref="DnsAliasException">They run in a circle, or on and on.</exception>
    public bool Follow(IReadOnlyList<DnsRecord> answers)
    {
        int before = _names.Count;
        while (TargetOf(End, answers) is { } target)
        {
            Add(target);
        }

        return _names.Count > before;
    }

    /// <summary>Goes one CNAME further.</summary>
    /// <exception cref="DnsAliasException">They run in a circle, or on and on.</exception>
    public void Add(DnsName target)
    {
        bool known = _names.Contains(target);
        _names.Add(target);
        if (known)
        {
            throw new DnsAliasException("run in a circle", _names);
        }

        if (_names.Count > MaximumHops + 1)
        {
            throw new DnsAliasException($"go on for more than {MaximumHops} hops", _names);
        }
    }

    /// <summary>Where the CNAME of a name leads, or null where it has none.</summary>
    public static DnsName? TargetOf(DnsName name, IReadOnlyList<DnsRecord> answers) =>
        answers.OfType<CnameRecord>().FirstOrDefault(record => record.Name == name)?.Target;
}
