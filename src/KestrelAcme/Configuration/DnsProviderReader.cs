namespace KestrelAcme.Configuration;

/// <summary>Reads <c>DnsProviders</c>: known types, their keys, secrets out of files. No message quotes a secret.</summary>
internal sealed class DnsProviderReader(EnvironmentFacts facts, ProblemList problems)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    // A zone for which two providers are named would leave it to chance; the key under which each was first written.
    private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);

    /// <summary>Reads all of them.</summary>
    public ValueList<DnsProviderSpecification> Read(AcmeHttpsOptions options)
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

        return ValueList.From(providers);
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
            Settings = new DnsProviderSettings(type.Name, ReadSettings(options, type, key)),
            Zones = zones,
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

    private ValueList<string> ReadZones(DnsProviderOptions options, string key)
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
            if (!result.IsGood || result.Identifier.Kind != IdentifierKind.Dns)
            {
                problems.Add($"{key}:Zones:{i}", written[i], result.IsGood ? "is an IP address" : result.Reason, result.IsGood ? "Write a domain name, such as 'example.com'" : result.Fix);
                continue;
            }

            var zone = text.Length == bare.Length ? result.Identifier.Value : $"_acme-challenge.{result.Identifier.Value}";
            CheckOnce(zone, $"{key}:Zones:{i}", written[i]);
            zones.Add(zone);
        }

        return ValueList.From(zones);
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

    private Dictionary<string, string> ReadSettings(DnsProviderOptions options, DnsProviderType type, string key)
    {
        var given = options.Settings.Where(pair => ScalarRules.NullIfEmpty(pair.Value) is not null)
            .ToDictionary(pair => pair.Key, pair => pair.Value!.Trim(), StringComparer.OrdinalIgnoreCase);
        ReportUnknown(given.Keys, type, key);
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var wanted in type.Keys)
        {
            if (ReadValue(given, wanted, key) is { } value)
            {
                values[wanted.Name] = value;
            }
        }

        foreach (var wanted in type.Keys.Where(k => k.Needs is { } other && values.ContainsKey(k.Name) && !given.ContainsKey(other) && !given.ContainsKey(other + "File")))
        {
            problems.Add($"{key}:{wanted.Needs}", null, $"is missing, and {wanted.Name} is of no use without it", $"Write it, or remove {wanted.Name}");
        }

        return values;
    }

    private string? ReadValue(Dictionary<string, string> given, DnsProviderKey wanted, string key)
    {
        var written = given.GetValueOrDefault(wanted.Name);
        var file = wanted.Secret ? given.GetValueOrDefault(wanted.Name + "File") : null;
        if (written is not null && file is not null)
        {
            problems.Add($"{key}:{wanted.Name}File", file, $"is given beside {wanted.Name}", "Remove one of them");
            return null;
        }

        var source = file is null ? $"{key}:{wanted.Name}" : $"{key}:{wanted.Name}File";
        var value = file is null ? written : ReadFile(file, source);
        if (value is null)
        {
            if (file is null && wanted.Required)
            {
                var orFile = wanted.Secret ? $", or the path of a file that holds it in {wanted.Name}File" : "";
                problems.Add(source, null, "is missing", wanted.Example is { } example ? $"Write a value such as '{example}'{orFile}" : $"Write it{orFile}");
            }

            return null;
        }

        if (wanted.Check?.Invoke(value) is { } wrong)
        {
            problems.Add(source, wanted.Secret ? null : value, wrong, wanted.Example is { } example ? $"Write a value such as '{example}'" : "Write another value");
        }

        return value;
    }

    private string? ReadFile(string file, string key)
    {
        if (PathRules.Resolve(file, key, facts, problems) is not { } path || FileRules.Read(path, key, facts, problems) is not { } content)
        {
            return null;
        }

        if (ScalarRules.NullIfEmpty(content) is not { } value)
        {
            problems.Add(key, file, "is an empty file", "Write the secret into it");
            return null;
        }

        return value;
    }

    private void ReportUnknown(IEnumerable<string> given, DnsProviderType type, string key)
    {
        string[] known =
        [
            .. type.Keys.SelectMany(k => k.Secret ? new[] { k.Name, k.Name + "File" } : [k.Name]), nameof(DnsProviderOptions.Zones), nameof(DnsProviderOptions.PropagationTimeout),
            nameof(DnsProviderOptions.MinimumWait), nameof(DnsProviderOptions.PropagationCheck), nameof(DnsProviderOptions.RequireEveryServer), nameof(DnsProviderOptions.Type),
        ];
        foreach (var name in given.Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            var fix = NearestName.Find(name, known) is { } nearest ? $"Did you mean '{nearest}'?" : $"Remove it. Known keys: {string.Join(", ", known.Order(StringComparer.Ordinal))}";
            problems.Add($"{key}:{name}", null, $"is not a known key of {type.Name}", fix);
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
