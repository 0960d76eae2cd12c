using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks what answers clients that send no server name.</summary>
internal static class LocalNameRules
{
    /// <summary>The default server name in its normal form.</summary>
    public static string? DefaultServerName(AcmeHttpsOptions options, ProblemList problems)
        => ScalarRules.NullIfEmpty(options.DefaultServerName) is { } name ? Name(name, nameof(options.DefaultServerName), problems) : null;

    /// <summary>The map from local addresses to names, both in their normal form.</summary>
    public static EquatableArray<LocalAddressName> LocalAddresses(AcmeHttpsOptions options, ProblemList problems)
    {
        var entries = new List<LocalAddressName>();
        foreach (var (written, name) in options.LocalAddressNames ?? new Dictionary<string, string>())
        {
            var key = $"{nameof(options.LocalAddressNames)}:{written}";
            if (!IpAddressParser.TryParse(written, out var address))
            {
                problems.Add(key, name, "is not kept under an IP address", "Write the local IP address as the key, the name as the value");
            }
            else if (entries.Exists(entry => entry.Address.Equals(address)))
            {
                problems.Add(key, name, "is for an address that is listed twice", "Remove one of them");
            }
            else if (Name(name, key, problems) is { } normal)
            {
                entries.Add(new LocalAddressName(address, normal));
            }
        }

        return EquatableArray.From(entries.OrderBy(entry => entry.Address.ToString(), StringComparer.Ordinal));
    }

    private static string? Name(string? text, string key, ProblemList problems)
    {
        var result = DomainNameParser.Parse(text);
        if (!result.IsSuccess)
        {
            problems.Add(key, text, result.Reason, result.Fix);
        }

        return result.Identifier?.Value;
    }
}
