using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.Tls;

/// <summary>
/// The managed names, with or without a certificate. Immutable and replaced as a whole, except for the names on demand, which come and go
/// one at a time.
/// </summary>
internal sealed class ManagedNames
{
    private readonly HashSet<string> _names;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly HashSet<IPAddress> _addresses = [];
    private readonly int _count;

    /// <param name="names">All names, in the form of the name index: A-labels in lower case, without a trailing dot.</param>
    /// <param name="sole">
    /// A name of the only configured certificate, in the same form; <see langword="null"/> if several are configured.
    /// </param>
    /// <param name="onDemand">The names on demand, which are managed, too.</param>
    public ManagedNames(IReadOnlyCollection<string> names, string? sole = null, NamesOnDemand? onDemand = null)
    {
        _count = names.Count;
        Sole = sole;
        OnDemand = onDemand;
        _names = new HashSet<string>(names.Count, StringComparer.Ordinal);
        _bySpan = _names.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                _addresses.Add(address);
            }
            else
            {
                _names.Add(Key(name));
            }
        }
    }

    /// <summary>The names on demand; <see langword="null"/> if there never were any.</summary>
    public NamesOnDemand? OnDemand { get; private set; }

    /// <summary>The address among the names, if there is exactly one.</summary>
    public IPAddress? SoleAddress => _addresses.Count switch
    {
        0 => OnDemand?.SoleAddress,
        1 when OnDemand is null or { AddressCount: 0 } => _addresses.First(),
        _ => null,
    };

    /// <summary>The number of names.</summary>
    public int Count => _count + (OnDemand?.Count ?? 0);

    /// <summary>
    /// A name of the only configured certificate; <see langword="null"/> if several are configured, because a client that sends no name
    /// could mean any of them.
    /// </summary>
    public string? Sole { get; }

    /// <summary>Returns the names on demand, to add to them or to remove some. Only one caller at a time.</summary>
    public NamesOnDemand ChangeOnDemand() => OnDemand ??= new NamesOnDemand();

    /// <summary>Returns the managed name that covers a client's, exactly or as a wildcard; <see langword="null"/> if none does.</summary>
    public string? Find(ReadOnlySpan<char> name)
    {
        if (FindKey(name) is { } exact)
        {
            return exact;
        }

        var dot = name.IndexOf('.');
        return dot > 0 && FindKey(name[dot..]) is { } wildcard ? "*" + wildcard : null;
    }

    /// <summary>Whether an address is itself managed.</summary>
    public bool Contains(IPAddress? address)
        => address is not null && (_addresses.Contains(address) || OnDemand?.Contains(address) == true);

    /// <summary>
    /// Returns the managed address that a client reached. If only one address is managed, it is returned for every local address.
    /// </summary>
    public string? Find(IPAddress? address)
        => SoleAddress is { } sole ? sole.ToString()
            : Contains(address) ? address!.ToString()
            : null;

    /// <summary>Returns what a name is stored as. A wildcard is stored without its star: ".example.com".</summary>
    internal static string Key(string name) => name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name;

    private string? FindKey(ReadOnlySpan<char> key) => _bySpan.TryGetValue(key, out var found) ? found : OnDemand?.FindKey(key);

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
}
