using System.Net;

namespace KestrelAcme.Tls;

/// <summary>The managed names, with or without a certificate. Immutable; replaced as a whole.</summary>
internal sealed class ManagedNames
{
    private readonly HashSet<string> _names;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly HashSet<IPAddress> _addresses = [];

    /// <param name="names">All managed names, in the form of the name index: A-labels in lower case, without a trailing dot.</param>
    /// <param name="sole">
    /// A name of the only configured certificate, in the same form; <see langword="null"/> if several are configured.
    /// </param>
    public ManagedNames(IReadOnlyCollection<string> names, string? sole = null)
    {
        Count = names.Count;
        Sole = sole;
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
                _names.Add(name.StartsWith("*.", StringComparison.Ordinal) ? name[1..] : name);
            }
        }

        SoleAddress = _addresses.Count == 1 ? _addresses.First() : null;
    }

    /// <summary>The address among the names, if there is exactly one.</summary>
    public IPAddress? SoleAddress { get; }

    /// <summary>The number of names.</summary>
    public int Count { get; }

    /// <summary>
    /// A name of the only configured certificate; <see langword="null"/> if several are configured, because a client that sends no name
    /// could mean any of them.
    /// </summary>
    public string? Sole { get; }

    /// <summary>Returns the managed name that covers a client's, exactly or as a wildcard; <see langword="null"/> if none does.</summary>
    public string? Find(ReadOnlySpan<char> name)
    {
        if (_bySpan.TryGetValue(name, out var exact))
        {
            return exact;
        }

        var dot = name.IndexOf('.');
        return dot > 0 && _bySpan.TryGetValue(name[dot..], out var wildcard) ? "*" + wildcard : null;
    }

    /// <summary>Whether an address is itself managed.</summary>
    public bool Contains(IPAddress? address) => address is not null && _addresses.Contains(address);

    /// <summary>
    /// Returns the managed address that a client reached. If only one address is managed, it is returned for every local address.
    /// </summary>
    public string? Find(IPAddress? address)
        => SoleAddress is not null ? SoleAddress.ToString()
            : address is not null && _addresses.Contains(address) ? address.ToString()
            : null;
}
