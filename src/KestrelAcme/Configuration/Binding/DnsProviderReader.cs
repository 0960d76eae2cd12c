using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Reads <c>DnsProviders</c>: known types, zones that are named once, sensible times.</summary>
internal sealed class DnsProviderReader(EnvironmentFacts facts, ProblemList problems)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly DnsProviderSettingsReader _settings = new(facts, problems);

    // A zone for which two providers are named would leave it to chance; the key under which each was first written.
    private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);

    /// <summary>Reads all of them.</summary>
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
        ScalarRules.CheckEnum(options.PropagationCheck, $"{key}:{nameof(options.PropagationCheck)}", problems);
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
            PropagationCheck = options.PropagationCheck,
            RequireEveryServer = options.RequireEveryServer,
        };
    }

    private DnsProviderType? FindType(DnsProviderOptions options, string key)
    {
        var names = facts.DnsProviderTypes.Select(type => type.Name).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal).ToList();
        if (ScalarRules.NullIfEmpty(options.Type) is not { } written)
        {
            problems.Add($"{key}:Type", null, "is missing", $"Write one of {string.Join(", ", names)}");
            return null;
        }

        var found = facts.DnsProviderTypes.LastOrDefault(type => string.Equals(type.Name, written, StringComparison.OrdinalIgnoreCase));
        if (found is null)
        {
            var fix = NearestName.Find(written, names) is { } nearest ? $"Did you mean '{nearest}'?" : $"Write one of {string.Join(", ", names)}";
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
            // A zone is given for itself and all below, so that a wildcard says nothing more; a zone may be below a name with an underscore.
            var text = ScalarRules.NullIfEmpty(written[i]) ?? "";
            var bare = text.StartsWith("_acme-challenge.", StringComparison.OrdinalIgnoreCase) ? text["_acme-challenge.".Length..] : text;
            var result = DomainNameParser.Parse(bare.StartsWith("*.", StringComparison.Ordinal) ? bare[2..] : bare);
            if (!result.IsSuccess || result.Identifier.Kind != IdentifierKind.Dns)
            {
                problems.Add($"{key}:Zones:{i}", written[i], result.IsSuccess ? "is an IP address" : result.Reason, result.IsSuccess ? "Write a domain name, such as 'example.com'" : result.Fix);
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
        if (!_seen.TryAdd(zone, key))
        {
            problems.Add(
                key,
                written,
                zone.Length == 0 ? "is empty, as it is for another provider: both would be for all zones" : $"is the same zone as {ConfigurationKeys.Of(_seen[zone])}",
                zone.Length == 0 ? "Name the zones of one of them" : "Remove one of them");
        }
    }

    private void CheckDuration(TimeSpan value, TimeSpan least, string key)
    {
        if (value < least || value > LongestWait)
        {
            problems.Add(key, $"{value:c}", $"is not between {least:c} and {LongestWait:c}", "Write a duration such as 00:05:00 (five minutes)");
        }
    }
}
