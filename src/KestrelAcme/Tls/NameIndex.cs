using System.Collections.Concurrent;
using System.Net;

namespace KestrelAcme.Tls;

/// <summary>Maps names and addresses to certificates. Readers take no lock and do not allocate. Only one writer at a time.</summary>
internal sealed class NameIndex
{
    // A wildcard is stored without its star: ".example.com".
    private readonly ConcurrentDictionary<string, CertificateSlot[]> _names = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, CertificateSlot[]>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly ConcurrentDictionary<IPAddress, CertificateSlot[]> _addresses = new();
    private CertificateSlot[]? _soleAddress;

    public NameIndex() => _bySpan = _names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Finds the best certificate for a name.</summary>
    /// <param name="name">The normalized name.</param>
    /// <param name="accepted">The kinds of keys that the client accepts.</param>
    /// <param name="now">The current time in UTC ticks.</param>
    public CertificateEntry? Find(ReadOnlySpan<char> name, KeyKinds accepted, long now)
    {
        var choice = new CertificateChoice(accepted, now);
        if (_bySpan.TryGetValue(name, out var exact))
        {
            choice.Offer(exact, exact: true);
            if (choice.IsSettled)
            {
                return choice.Best;
            }
        }

        var dot = name.IndexOf('.');
        if (dot > 0 && _bySpan.TryGetValue(name[dot..], out var wildcard))
        {
            choice.Offer(wildcard, exact: false);
        }

        return choice.Best;
    }

    /// <summary>Finds the best certificate for an address. The only certificate with an address is used for every address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="exactly">Whether a certificate for another address must not be used.</param>
    /// <param name="accepted">The kinds of keys that the client accepts.</param>
    /// <param name="now">The current time in UTC ticks.</param>
    public CertificateEntry? Find(IPAddress? address, bool exactly, KeyKinds accepted, long now)
    {
        var choice = new CertificateChoice(accepted, now);
        var slots = address is not null && _addresses.TryGetValue(address, out var exact) ? exact
            : exactly ? null
            : Volatile.Read(ref _soleAddress);
        if (slots is not null)
        {
            choice.Offer(slots, exact: true);
        }

        return choice.Best;
    }

    public void Add(string name, CertificateSlot slot)
    {
        if (IPAddress.TryParse(name, out var address))
        {
            Add(_addresses, address, slot);
            UpdateSoleAddress();
        }
        else
        {
            Add(_names, Key(name), slot);
        }
    }

    public void Remove(string name, CertificateSlot slot)
    {
        if (IPAddress.TryParse(name, out var address))
        {
            Remove(_addresses, address, slot);
            UpdateSoleAddress();
        }
        else
        {
            Remove(_names, Key(name), slot);
        }
    }

    private static string Key(string name) => name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name;

    private static void Add<TKey>(ConcurrentDictionary<TKey, CertificateSlot[]> slotsByKey, TKey key, CertificateSlot slot)
        where TKey : notnull
        => slotsByKey.AddOrUpdate(
            key,
            static (_, added) => [added],
            static (_, slots, added) => Array.IndexOf(slots, added) < 0 ? [.. slots, added] : slots,
            slot);

    private static void Remove<TKey>(ConcurrentDictionary<TKey, CertificateSlot[]> slotsByKey, TKey key, CertificateSlot slot)
        where TKey : notnull
    {
        if (!slotsByKey.TryGetValue(key, out var slots))
        {
            return;
        }

        var rest = Array.FindAll(slots, other => other != slot);
        if (rest.Length == 0)
        {
            slotsByKey.TryRemove(key, out _);
        }
        else
        {
            slotsByKey[key] = rest;
        }
    }

    // One certificate may contain several addresses. All addresses must have the same certificates.
    private void UpdateSoleAddress()
    {
        CertificateSlot[]? sole = null;
        foreach (var (_, slots) in _addresses)
        {
            if (sole is not null && !sole.AsSpan().SequenceEqual(slots))
            {
                sole = null;
                break;
            }

            sole = slots;
        }

        Volatile.Write(ref _soleAddress, sole);
    }
}

/// <summary>
/// Picks the best of the certificates that cover a name. In order of weight: it is valid now, the client can verify its key, it is not
/// retired, it names the host exactly and not by a wildcard, its key is ECDSA, and it is valid longest.
/// </summary>
internal ref struct CertificateChoice(KeyKinds accepted, long now)
{
    private const int Valid = 16;
    private const int Accepted = 8;
    private const int NotRetired = 4;
    private const int Exact = 2;
    private const int Ecdsa = 1;

    private int _rank = -1;

    public CertificateEntry? Best { get; private set; }

    /// <summary>Whether no wildcard certificate can be better than the one found.</summary>
    public readonly bool IsSettled => _rank >= (Valid | Accepted | NotRetired | Exact);

    public void Offer(CertificateSlot[] slots, bool exact)
    {
        foreach (var slot in slots)
        {
            if (slot.Current is { } entry)
            {
                Offer(entry, exact);
            }
        }
    }

    private void Offer(CertificateEntry entry, bool exact)
    {
        var rank = (entry.NotBefore <= now && now < entry.NotAfter ? Valid : 0)
            | ((entry.KeyKind & accepted) != 0 ? Accepted : 0)
            | (entry.IsRetired ? 0 : NotRetired)
            | (exact ? Exact : 0)
            | ((entry.KeyKind & KeyKinds.Ecdsa) != 0 ? Ecdsa : 0);
        if (rank > _rank || (rank == _rank && entry.NotAfter > Best!.NotAfter))
        {
            _rank = rank;
            Best = entry;
        }
    }
}

/// <summary>
/// Holds the current entry of one managed certificate. A renewal replaces the entry with one write here, no matter how many names it has.
/// </summary>
internal sealed class CertificateSlot
{
    private CertificateEntry? _current;

    public CertificateEntry? Current
    {
        get => Volatile.Read(ref _current);
        set => Volatile.Write(ref _current, value);
    }
}
