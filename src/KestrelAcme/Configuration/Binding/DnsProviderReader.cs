using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Binds and checks DNS providers: known types, no zone twice, times in range.</summary>
internal sealed class DnsProviderReader(EnvironmentFacts facts, ProblemList problems)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly DnsProviderSettingsReader _settings = new(facts, problems);

    // The key of the first occurrence of each zone: with two providers for one zone, the choice would be arbitrary.
    private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);

    /// <summary>The keys that every type of provider has.</summary>
    public static IReadOnlyList<string> CommonKeys { get; } =
    [
        nameof(DnsProviderOptions.Type), nameof(DnsProviderOptions.Zones), nameof(DnsProviderOptions.FollowCnames),
        nameof(DnsProviderOptions.PropagationTimeout), nameof(DnsProviderOptions.MinimumWait), nameof(DnsProviderOptions.PropagationCheck),
        nameof(DnsProviderOptions.RequireEveryServer),
    ];

    /// <summary>Binds an element of the list.</summary>
    public static DnsProviderOptions Bind(SectionReader reader)
    {
        var provider = new DnsProviderOptions();
        reader.Text(nameof(provider.Type), value => provider.Type = value);
        reader.Texts(nameof(provider.Zones), value => provider.Zones = value);
        reader.Flag(nameof(provider.FollowCnames), value => provider.FollowCnames = value);
        reader.Duration(nameof(provider.PropagationTimeout), value => provider.PropagationTimeout = value);
        reader.Duration(nameof(provider.MinimumWait), value => provider.MinimumWait = value);
        reader.Choice<DnsPropagationCheck>(nameof(provider.PropagationCheck), value => provider.PropagationCheck = value);
        reader.Flag(nameof(provider.RequireEveryServer), value => provider.RequireEveryServer = value);

        // The other keys depend on the type. They are checked when the types are known.
        reader.Others((key, value) => provider.Settings[key] = value);
        return provider;
    }

    /// <summary>Reads all providers.</summary>
    public EquatableArray<DnsProviderSpecification> Read(AcmeHttpsOptions options)
    {
        var list = options.DnsProviders ?? [];
        var providers = new List<DnsProviderSpecification>(list.Count);
        for (var i = 0; i < list.Count; i++)
        {
            if (ReadOne(list[i] ?? new DnsProviderOptions(), $"DnsProviders:{i}") is { } provider)
            {
                providers.Add(provider);
            }
        }

        return EquatableArray.From(providers);
    }

    private DnsProviderSpecification? ReadOne(DnsProviderOptions options, string key)
    {
        var zones = ReadZones(options, key);
        CheckDuration(options.PropagationTimeout, TimeSpan.FromSeconds(1), $"{key}:{nameof(options.PropagationTimeout)}");
        CheckDuration(options.MinimumWait, TimeSpan.Zero, $"{key}:{nameof(options.MinimumWait)}");
        var check = ScalarRules.Defined(options.PropagationCheck, $"{key}:{nameof(options.PropagationCheck)}", problems);
        if (FindType(options, key) is not { } type)
        {
            return null;
        }

        return new DnsProviderSpecification
        {
            Settings = new DnsProviderSettings(type.Name, _settings.Read(options, type, key)),
            Zones = zones,
            FollowCnames = options.FollowCnames,
            PropagationTimeout = options.PropagationTimeout,
            MinimumWait = options.MinimumWait,
            PropagationCheck = check,
            RequireEveryServer = options.RequireEveryServer,
        };
    }

    private DnsProviderType? FindType(DnsProviderOptions options, string key)
    {
        var names = facts.DnsProviderTypes.Select(type => type.Name)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (ScalarRules.NullIfEmpty(options.Type) is not { } written)
        {
            problems.Add($"{key}:Type", null, "is missing", $"Write one of {string.Join(", ", names)}");
            return null;
        }

        var found = facts.DnsProviderTypes.LastOrDefault(type => string.Equals(type.Name, written, StringComparison.OrdinalIgnoreCase));
        if (found is null)
        {
            var fix = NearestName.Find(written, names) is { } nearest
                ? $"Did you mean '{nearest}'?"
                : $"Write one of {string.Join(", ", names)}";
            problems.Add($"{key}:Type", written, "is not a known type of DNS provider", fix);
        }

        return found;
    }

    private EquatableArray<string> ReadZones(DnsProviderOptions options, string key)
    {
        var zones = new List<string>();
        var written = options.Zones ?? [];
        if (written.Count == 0)
        {
            CheckOnce("", $"{key}:Zones", null);
        }

        for (var i = 0; i < written.Count; i++)
        {
            // A zone includes all names below it, so "*." adds nothing. A zone may have the label _acme-challenge, which no host name has.
            var text = ScalarRules.NullIfEmpty(written[i]) ?? "";
            var bare = text.StartsWith("_acme-challenge.", StringComparison.OrdinalIgnoreCase) ? text["_acme-challenge.".Length..] : text;
            var result = DomainNameParser.Parse(bare.StartsWith("*.", StringComparison.Ordinal) ? bare[2..] : bare);
            if (!result.IsSuccess || result.Identifier.Kind != IdentifierKind.Dns)
            {
                var (reason, fix) = result.IsSuccess
                    ? ("is an IP address", "Write a domain name, such as 'example.com'")
                    : (result.Reason, result.Fix);
                problems.Add($"{key}:Zones:{i}", written[i], reason, fix);
                continue;
            }

            var zone = text.Length == bare.Length ? result.Identifier.Value : $"_acme-challenge.{result.Identifier.Value}";
            CheckOnce(zone, $"{key}:Zones:{i}", written[i]);
            zones.Add(zone);
        }

        return EquatableArray.From(zones);
    }

    private void CheckOnce(string zone, string key, string? written)
    {
        if (_seen.TryAdd(zone, key))
        {
            return;
        }

        if (zone.Length == 0)
        {
            problems.Add(
                key, written, "is empty for more than one provider, so both would be responsible for all zones",
                "Write the zones of one of them");
        }
        else
        {
            problems.Add(key, written, $"is the same zone as {ConfigurationKeys.Of(_seen[zone])}", "Remove one of them");
        }
    }

    private void CheckDuration(TimeSpan value, TimeSpan least, string key)
    {
        if (value < least || value > LongestWait)
        {
            const string fix = "Write a duration such as 00:05:00 (five minutes)";
            problems.Add(key, $"{value:c}", $"is not between {least:c} and {LongestWait:c}", fix);
        }
    }
}
