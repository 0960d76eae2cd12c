using System.Net;

namespace KestrelAcme.Tls;

/// <summary>The names that we answer for, with or without a certificate: an immutable set, replaced as a whole.</summary>
internal sealed class ManagedNames
{
    private readonly HashSet<string> _names;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly HashSet<IPAddress> _addresses = [];

    /// <param name="names">All names.</param>
    /// <param name="sole">A name of the one certificate that is wanted; <see langword="null"/> if there are several.</param>
    public ManagedNames(IReadOnlyCollection<string> names, string? sole = null)
    {
        Count = names.Count;
        Sole = sole is null ? null : HostName.Normalize(sole);
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
                var normalized = HostName.Normalize(name);
                _names.Add(normalized.StartsWith("*.", StringComparison.Ordinal) ? normalized[1..] : normalized);
            }
        }

        SoleAddress = _addresses.Count == 1 ? _addresses.First() : null;
    }

    /// <summary>The only address among the names.</summary>
    public IPAddress? SoleAddress { get; }

    /// <summary>How many names there are.</summary>
    public int Count { get; }

    /// <summary>
    /// A name of the one certificate that we answer with; <see langword="null"/> if there are several, and a client that names none could
    /// mean any of them.
    /// </summary>
    public string? Sole { get; }

    /// <summary>Returns the name of ours that covers a client's, itself or a wildcard; <see langword="null"/> when it is a foreign one.</summary>
    public string? Find(ReadOnlySpan<char> name)
    {
        if (_bySpan.TryGetValue(name, out var exact))
        {
            return exact;
        }

        var dot = name.IndexOf('.');
        return dot > 0 && _bySpan.TryGetValue(name[dot..], out var wildcard) ? "*" + wildcard : null;
    }

    /// <summary>Whether an address is itself one of ours.</summary>
    public bool Contains(IPAddress? address) => address is not null && _addresses.Contains(address);

    /// <summary>Returns the address of ours that a client reached; a sole address stands for every one, as a sole certificate does.</summary>
    public string? Find(IPAddress? address)
        => SoleAddress is not null ? SoleAddress.ToString()
            : address is not null && _addresses.Contains(address) ? address.ToString()
            : null;
}
