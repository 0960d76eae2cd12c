using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Reads the keys that are specific to a type of DNS provider, including secrets from files. No message quotes a secret.</summary>
internal sealed class DnsProviderSettingsReader(EnvironmentFacts facts, ProblemList problems)
{
    /// <summary>Returns the values of all keys of the type.</summary>
    public Dictionary<string, string> Read(DnsProviderOptions options, DnsProviderType type, string key)
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

        foreach (var wanted in type.Keys.Where(k => values.ContainsKey(k.Name)))
        {
            if (wanted.Needs is { } other && !given.ContainsKey(other) && !given.ContainsKey(other + "File"))
            {
                problems.Add(
                    $"{key}:{other}", null, $"is missing, and {wanted.Name} has no use without it", $"Write it, or remove {wanted.Name}");
            }
        }

        return values;
    }

    private string? ReadValue(Dictionary<string, string> given, DnsProviderKey wanted, string key)
    {
        var written = given.GetValueOrDefault(wanted.Name);
        var file = wanted.Secret ? given.GetValueOrDefault(wanted.Name + "File") : null;
        if (written is not null && file is not null)
        {
            problems.Add($"{key}:{wanted.Name}File", null, $"is set in addition to {wanted.Name}", "Remove one of them");
            return null;
        }

        var source = file is null ? $"{key}:{wanted.Name}" : $"{key}:{wanted.Name}File";
        var value = file is null ? written : ReadFile(file, source);
        if (value is null)
        {
            if (file is null && wanted.Required && !(wanted.Alternative is { } other && given.ContainsKey(other)))
            {
                var orElse = wanted.Secret ? $", or the path of a file that contains it in {wanted.Name}File"
                    : wanted.Alternative is null ? ""
                    : $", or {wanted.Alternative}";
                problems.Add(source, null, "is missing", (wanted.Example is { } e ? $"Write a value such as '{e}'" : "Write it") + orElse);
            }

            return null;
        }

        if (wanted.Check?.Invoke(value) is { } wrong)
        {
            var fix = wanted.Example is { } example ? $"Write a value such as '{example}'" : "Write another value";
            problems.Add(source, wanted.Secret ? null : value, wrong, fix);
        }

        if (wanted.CheckWithFix?.Invoke(value) is { } problem)
        {
            problems.Add(source, wanted.Secret ? null : value, problem.Reason, problem.Fix);
        }

        return value;
    }

    private string? ReadFile(string file, string key)
    {
        if (PathRules.Resolve(file, key, facts, problems, isSecret: true) is not { } path
            || FileRules.ReadSecret(path, key, facts, problems) is not { } content)
        {
            return null;
        }

        if (ScalarRules.NullIfEmpty(content) is not { } value)
        {
            problems.Add(key, null, "is an empty file", "Write the secret into it");
            return null;
        }

        return value;
    }

    private void ReportUnknown(IEnumerable<string> given, DnsProviderType type, string key)
    {
        string[] known =
            [.. type.Keys.SelectMany(k => k.Secret ? new[] { k.Name, k.Name + "File" } : [k.Name]), .. DnsProviderReader.CommonKeys];
        foreach (var name in given.Where(name => !known.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            var fix = NearestName.Find(name, known) is { } nearest
                ? $"Did you mean '{nearest}'?"
                : $"Remove it. Known keys: {string.Join(", ", known.Order(StringComparer.Ordinal))}";
            problems.Add($"{key}:{name}", null, $"is not a known key of {type.Name}", fix);
        }
    }
}
