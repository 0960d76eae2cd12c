using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks which certificates clients get that send no server name.</summary>
internal static class LocalNameRules
{
    /// <summary>Reads the default server name; returns <see langword="null"/> if there is none, or after a problem.</summary>
    public static CertificateIdentifier? DefaultServerName(string? text, string key, ProblemList problems)
        => ScalarRules.NullIfEmpty(text) is { } name ? Name(name, key, problems) : null;

    /// <summary>Reads the map from local addresses to names.</summary>
    public static EquatableArray<LocalAddressName> LocalAddresses(IDictionary<string, string>? map, string key, ProblemList problems)
    {
        var entries = new List<LocalAddressName>();
        foreach (var (written, name) in map ?? new Dictionary<string, string>())
        {
            var entryKey = $"{key}:{written}";
            if (!IpAddressParser.TryParse(written, out var address))
            {
                problems.Add(
                    entryKey, name, "has a key that is not an IP address", "Write the local IP address as the key, the name as the value");
            }
            else if (entries.Exists(entry => entry.Address.Equals(address)))
            {
                problems.Add(entryKey, name, "is for an address that is listed twice", "Remove one of them");
            }
            else if (Name(name, entryKey, problems) is { } identifier)
            {
                entries.Add(new LocalAddressName(address, identifier));
            }
        }

        return EquatableArray.From(entries.OrderBy(entry => entry.Address.ToString(), StringComparer.Ordinal));
    }

    private static CertificateIdentifier? Name(string? text, string key, ProblemList problems)
    {
        var result = DomainNameParser.Parse(text);
        if (!result.IsSuccess)
        {
            problems.Add(key, text, result.Reason, result.Fix);
        }

        return result.Identifier;
    }
}
