using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.Tls;

/// <summary>The names of certificates on demand. One more costs the same among a hundred thousand as among ten.</summary>
/// <remarks>Readers take no lock. Only one writer at a time.</remarks>
internal sealed class NamesOnDemand
{
    // With the IDs of the certificates that have the name: one for each kind of key, and those of groups.
    private readonly ConcurrentDictionary<string, string[]> _names = new(concurrencyLevel: 1, capacity: 31, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string[]>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly ConcurrentDictionary<IPAddress, string[]> _addresses = new();
    private volatile IPAddress? _soleAddress;
    private volatile int _addressCount;

    public NamesOnDemand() => _bySpan = _names.GetAlternateLookup<ReadOnlySpan<char>>();

    public int Count => _names.Count + _addressCount;

    public int AddressCount => _addressCount;

    public IPAddress? SoleAddress => _soleAddress;

    public string? FindKey(ReadOnlySpan<char> key) => _bySpan.TryGetValue(key, out var found, out _) ? found : null;

    public bool Contains(IPAddress address) => _addresses.ContainsKey(address);

    /// <summary>Adds or removes a name of a certificate.</summary>
    public void Set(string name, string id, bool isManaged)
    {
        if (!IPAddress.TryParse(name, out var address))
        {
            Set(_names, ManagedNames.Key(name), id, isManaged);
            return;
        }

        Set(_addresses, address, id, isManaged);
        _addressCount = _addresses.Count;
        _soleAddress = _addressCount == 1 ? _addresses.First().Key : null;
    }

    private static void Set<TKey>(ConcurrentDictionary<TKey, string[]> idsByKey, TKey key, string id, bool isManaged)
        where TKey : notnull
    {
        var others = idsByKey.TryGetValue(key, out var ids) ? Array.FindAll(ids, other => other != id) : [];
        if (isManaged)
        {
            idsByKey[key] = [.. others, id];
        }
        else if (others.Length > 0)
        {
            idsByKey[key] = others;
        }
        else
        {
            idsByKey.TryRemove(key, out _);
        }
    }
}
