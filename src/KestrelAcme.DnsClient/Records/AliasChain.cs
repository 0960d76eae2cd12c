using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.DnsClient.Records;

/// <summary>A name and the CNAMEs that lead on from it.</summary>
internal sealed class AliasChain(DnsName start)
{
    private const int MaximumHops = 16;

    private readonly List<DnsName> _names = [start];

    public IReadOnlyList<DnsName> Names => _names;

    public DnsName End => _names[^1];

    /// <summary>Follows the CNAMEs in an answer section. Returns whether there were any.</summary>
    /// <exception cref="DnsAliasException">They form a loop or have too many hops.</exception>
    public bool Follow(IReadOnlyList<DnsRecord> answers)
    {
        int before = _names.Count;
        while (TargetOf(End, answers) is { } target)
        {
            Add(target);
        }

        return _names.Count > before;
    }

    /// <summary>Adds the target of a CNAME.</summary>
    /// <exception cref="DnsAliasException">The chain forms a loop or has too many hops.</exception>
    public void Add(DnsName target)
    {
        bool known = _names.Contains(target);
        _names.Add(target);
        if (known)
        {
            throw new DnsAliasException("form a loop", _names);
        }

        if (_names.Count > MaximumHops + 1)
        {
            throw new DnsAliasException($"have more than {MaximumHops} hops", _names);
        }
    }

    /// <summary>Returns the target of a name's CNAME, or null if it has none.</summary>
    public static DnsName? TargetOf(DnsName name, IReadOnlyList<DnsRecord> answers) =>
        answers.OfType<CnameRecord>().FirstOrDefault(record => record.Name == name)?.Target;
}
