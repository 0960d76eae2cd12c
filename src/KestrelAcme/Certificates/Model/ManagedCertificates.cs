using System.Collections;
using System.Collections.Concurrent;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// All managed certificates by ID. Those that are wanted for good are replaced as a whole, so that nobody needs a copy to enumerate ten
/// thousand of them. Those on demand come and go one at a time, so that nobody has to copy the others.
/// </summary>
/// <remarks>Those on demand have one writer at a time. Safe for concurrent reading.</remarks>
/// <param name="wanted">Those of the configuration, of domain sources, and those that were added at run time.</param>
/// <param name="onDemand">Those on demand; <see langword="null"/> if there never were any.</param>
internal sealed class ManagedCertificates(
    Dictionary<string, ManagedCertificate> wanted, ManagedCertificates.Demanded? onDemand)
    : IReadOnlyCollection<ManagedCertificate>
{
    // Not before something is ordered from a public CA, or looked for by one of several names.
    private readonly Lazy<Dictionary<string, ManagedCertificate[]>> _wantedByName = new(() => ByName(wanted.Values));

    public Dictionary<string, ManagedCertificate> Wanted => wanted;

    public ConcurrentDictionary<string, ManagedCertificate>? OnDemand => onDemand?.ById;

    public int Count => wanted.Count + (onDemand?.ById.Count ?? 0);

    public ManagedCertificates WithWanted(Dictionary<string, ManagedCertificate> others) => new(others, onDemand);

    public ManagedCertificates WithOnDemand(int capacity) => onDemand is null ? new(wanted, new Demanded(capacity)) : this;

    public void AddOnDemand(ManagedCertificate certificate)
    {
        onDemand!.ById[certificate.Id] = certificate;
        foreach (var name in NamesOf(certificate))
        {
            onDemand.ByName[name] = onDemand.ByName.TryGetValue(name, out var others) ? [.. others, certificate] : [certificate];
        }
    }

    public void RemoveOnDemand(ManagedCertificate certificate)
    {
        if (!onDemand!.ById.TryRemove(certificate.Id, out _))
        {
            return;
        }

        foreach (var name in NamesOf(certificate))
        {
            ManagedCertificate[] others = [.. (onDemand.ByName.GetValueOrDefault(name) ?? []).Where(c => c.Id != certificate.Id)];
            if (others.Length > 0)
            {
                onDemand.ByName[name] = others;
            }
            else
            {
                onDemand.ByName.TryRemove(name, out _);
            }
        }
    }

    public ManagedCertificate? Find(string id)
        => wanted.TryGetValue(id, out var found) || onDemand?.ById.TryGetValue(id, out found) == true ? found : null;

    /// <summary>Finds the certificate with an ID, or the first one with a name, in whatever case.</summary>
    public ManagedCertificate? FindByName(string name)
    {
        if (Find(name) is { } found)
        {
            return found;
        }

        var value = name.ToLowerInvariant();
        var key = value.StartsWith("*.", StringComparison.Ordinal) ? value[2..] : value;
        return Array.Find(_wantedByName.Value.GetValueOrDefault(key) ?? [], HasName)
            ?? Array.Find(onDemand?.ByName.GetValueOrDefault(key) ?? [], HasName);

        bool HasName(ManagedCertificate certificate) => certificate.Specification.Identifiers.Any(i => i.Value == value);
    }

    /// <summary>
    /// Finds the certificate with an ID that is not a name; otherwise all that have the same names as the one that <see cref="FindByName"/>
    /// finds, one for each key algorithm.
    /// </summary>
    public IReadOnlyList<ManagedCertificate> FindAllByName(string idOrName)
    {
        if (FindByName(idOrName) is not { } first)
        {
            return [];
        }

        var names = first.Specification.Identifiers;
        var isName = names.Any(i => string.Equals(i.Value, idOrName, StringComparison.OrdinalIgnoreCase));
        return !isName ? [first]
            : [first, .. FindSharing(first).Where(c => !ReferenceEquals(c, first) && c.HasSameNamesAs(first))];
    }

    /// <summary>
    /// Finds all that share a name with a certificate, where a wildcard counts as the name below it: those whose limits it shares. Looks at
    /// no others, because this is asked for each order.
    /// </summary>
    public IReadOnlyCollection<ManagedCertificate> FindSharing(ManagedCertificate certificate)
    {
        var found = new HashSet<ManagedCertificate>();
        foreach (var name in NamesOf(certificate))
        {
            found.UnionWith(_wantedByName.Value.GetValueOrDefault(name) ?? []);
            found.UnionWith(onDemand?.ByName.GetValueOrDefault(name) ?? []);
        }

        return found;
    }

    public IEnumerator<ManagedCertificate> GetEnumerator() => onDemand is null ? wanted.Values.GetEnumerator() : EnumerateAll();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // One may be among both for a moment.
    private IEnumerator<ManagedCertificate> EnumerateAll()
    {
        foreach (var certificate in wanted.Values)
        {
            yield return certificate;
        }

        foreach (var (id, certificate) in onDemand!.ById)
        {
            if (!wanted.ContainsKey(id))
            {
                yield return certificate;
            }
        }
    }

    private static Dictionary<string, ManagedCertificate[]> ByName(IEnumerable<ManagedCertificate> certificates)
    {
        var byName = new Dictionary<string, ManagedCertificate[]>(StringComparer.Ordinal);
        foreach (var certificate in certificates)
        {
            foreach (var name in NamesOf(certificate))
            {
                byName[name] = byName.TryGetValue(name, out var others) ? [.. others, certificate] : [certificate];
            }
        }

        return byName;
    }

    // An ID depends on the names, so that those of a certificate never change.
    private static IEnumerable<string> NamesOf(ManagedCertificate certificate)
        => certificate.Specification.Identifiers.Select(i => i.BaseValue).Distinct(StringComparer.Ordinal);

    /// <summary>Certificates on demand.</summary>
    internal sealed class Demanded(int capacity)
    {
        public ConcurrentDictionary<string, ManagedCertificate> ById { get; } = new(1, capacity, StringComparer.Ordinal);

        public ConcurrentDictionary<string, ManagedCertificate[]> ByName { get; } = new(1, capacity, StringComparer.Ordinal);
    }
}
