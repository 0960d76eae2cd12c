using System.Globalization;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Reads the keys of one configuration section, and collects what cannot be read instead of throwing. Each key that is read counts as known;
/// the rest is reported by <see cref="ReportUnknownKeys"/>.
/// </summary>
/// <remarks>
/// Not the framework's binder: that one appends lists to defaults, throws at the first bad value, takes <c>77</c> for an enum and lets misspelt keys vanish.
/// An empty value counts as none: an environment variable can be emptied where it cannot be removed.
/// </remarks>
internal sealed class SectionReader(IConfigurationSection section, ICollection<ConfigurationProblem> problems)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly ValueParser _values = new(problems);

    /// <summary>Reads a text.</summary>
    public void Text(string key, Action<string> set)
    {
        if (Scalar(Child(key)) is { } text)
        {
            set(text);
        }
    }

    /// <summary>Reads a boolean.</summary>
    public void Flag(string key, Action<bool> set) => Value(key, _values.Flag, set);

    /// <summary>Reads an integer.</summary>
    public void Number(string key, Action<int> set) => Value(key, _values.Number, set);

    /// <summary>Reads a duration.</summary>
    public void Duration(string key, Action<TimeSpan> set) => Value(key, _values.Duration, set);

    /// <summary>Reads an enum's name.</summary>
    public void Choice<TEnum>(string key, Action<TEnum> set)
        where TEnum : struct, Enum => Value(key, _values.Choice<TEnum>, set);

    /// <summary>Reads a list of texts. It takes the place of what was there.</summary>
    public void Texts(string key, Action<IList<string>> set)
    {
        var child = Child(key);
        if (OneText(child) is { } texts)
        {
            set(texts);
        }
        else if (Elements(child) is { } elements)
        {
            // An empty element stays, for the rules to report it.
            set([.. elements.Select(element => element.Value is { Length: > 0 } text ? text.Trim() : Scalar(element) ?? "")]);
        }
    }

    /// <summary>Reads a list of names, which may also be an object with the names as keys: of several sources, each adds its own, or takes a name away by <c>false</c>.</summary>
    public void Names(string key, Action<IList<string>> set)
    {
        var child = Child(key);
        var children = child.GetChildren().ToList();
        if (children.TrueForAll(element => IsIndex(element.Key) && element.Value is not null))
        {
            Texts(key, set);
            return;
        }

        // A key may contain colons, as IPv6 addresses do; what is below a number is otherwise no name.
        var entries = child.AsEnumerable(makePathsRelative: true).Where(pair => pair.Value is not null && IsNameKey(pair.Key)).OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase).ToList();
        var names = children.Where(element => IsIndex(element.Key) && !entries.Exists(pair => pair.Key.StartsWith(element.Key + ":", StringComparison.Ordinal)))
            .Select(element => Scalar(element) ?? "").ToList();
        foreach (var (name, value) in entries)
        {
            if (value!.Length > 0 && !bool.TryParse(value, out _))
            {
                problems.Add(new ConfigurationProblem(ConfigurationPath.Combine(child.Path, name), value, "is neither true nor false", "Write \"a.example\": true, or false to leave the name out"));
                continue;
            }

            names.RemoveAll(known => string.Equals(known, name, StringComparison.OrdinalIgnoreCase));
            if (value.Length == 0 || bool.Parse(value))
            {
                names.Add(name);
            }
        }

        set(names);
    }

    /// <summary>Reads a list of an enum's names. It takes the place of what was there.</summary>
    public void Choices<TEnum>(string key, Action<IList<TEnum>> set)
        where TEnum : struct, Enum
    {
        var child = Child(key);
        if (OneText(child) is { } texts)
        {
            set([.. texts.Select(text => _values.Choice<TEnum>(child, text)).OfType<TEnum>()]);
        }
        else if (Elements(child) is { } elements)
        {
            set([.. elements.Select(element => _values.Choice<TEnum>(element, Scalar(element) ?? "")).OfType<TEnum>()]);
        }
    }

    /// <summary>Reads a section of its own.</summary>
    public void Nested(string key, Action<SectionReader> read)
    {
        var child = Child(key);
        if (!HasStrayValue(child) && child.GetChildren().Any())
        {
            Read(child, read);
        }
    }

    /// <summary>Reads a list of sections.</summary>
    public void NestedList(string key, Action begin, Action<SectionReader> read)
    {
        if (Elements(Child(key)) is not { } elements)
        {
            return;
        }

        begin();
        foreach (var element in elements)
        {
            if (!HasStrayValue(element))
            {
                Read(element, read);
            }
        }
    }

    /// <summary>Reads keys that are free, with a text each. A key may contain colons, as IPv6 addresses do.</summary>
    public void Map(string key, Action<string, string> set)
    {
        var child = Child(key);
        if (!HasStrayValue(child))
        {
            foreach (var (name, value) in child.AsEnumerable(makePathsRelative: true).Where(pair => !string.IsNullOrWhiteSpace(pair.Value)))
            {
                set(name, value!);
            }
        }
    }

    /// <summary>Reads the keys that nobody asked for so far, with a text each: for sections whose keys somebody else knows.</summary>
    public void Others(Action<string, string> set)
    {
        foreach (var child in section.GetChildren().Where(child => !_known.Contains(child.Key)).ToList())
        {
            Text(child.Key, value => set(child.Key, value));
        }
    }

    /// <summary>Reports the keys that nobody asked for. Their values are not quoted: a misspelt key may hold a secret.</summary>
    public void ReportUnknownKeys()
    {
        foreach (var child in section.GetChildren().Where(child => !_known.Contains(child.Key)))
        {
            var fix = NearestName.Find(child.Key, _known) is { } nearest ? $"Did you mean '{nearest}'?" : $"Remove it. Known keys: {string.Join(", ", _known.Order(StringComparer.Ordinal))}";
            problems.Add(new ConfigurationProblem(child.Path, null, "is not a known key", fix));
        }
    }

    private void Read(IConfigurationSection child, Action<SectionReader> read)
    {
        var reader = new SectionReader(child, problems);
        read(reader);
        reader.ReportUnknownKeys();
    }

    private IConfigurationSection Child(string key)
    {
        _known.Add(key);
        return section.GetSection(key);
    }

    private string? Scalar(IConfigurationSection child)
    {
        if (child.GetChildren().Any())
        {
            problems.Add(new ConfigurationProblem(child.Path, null, "is a list or a section, a single value is wanted", "Write the value alone"));
            return null;
        }

        return ScalarRules.NullIfEmpty(child.Value);
    }

    /// <summary>A list that is written as one text, divided by commas; <see langword="null"/> when it is not.</summary>
    private static string[]? OneText(IConfigurationSection child)
        => ScalarRules.NullIfEmpty(child.Value) is { } text && !child.GetChildren().Any() ? text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : null;

    /// <summary>The elements of a list; <see langword="null"/> when there is none, or after a problem.</summary>
    private List<IConfigurationSection>? Elements(IConfigurationSection child)
    {
        if (ScalarRules.NullIfEmpty(child.Value) is not null)
        {
            var variable = child.Path.Replace(":", "__", StringComparison.Ordinal);
            var fix = $"Write [\"...\", \"...\"] in JSON, or {variable}__0, {variable}__1 and so on in the environment";
            problems.Add(new ConfigurationProblem(child.Path, child.Value, "is a single value, a list is wanted", fix));
            return null;
        }

        var elements = child.GetChildren().ToList();
        foreach (var stray in elements.Where(element => !IsIndex(element.Key)))
        {
            problems.Add(new ConfigurationProblem(stray.Path, null, "is not an element of a list", "Number the elements from 0"));
        }

        // JSON's empty list comes as an empty value.
        return elements.Count == 0 && child.Value is null ? null : elements.FindAll(element => IsIndex(element.Key));
    }

    private void Value<T>(string key, Func<IConfigurationSection, string, T?> parse, Action<T> set)
        where T : struct
    {
        var child = Child(key);
        if (Scalar(child) is { } text && parse(child, text) is { } value)
        {
            set(value);
        }
    }

    private bool HasStrayValue(IConfigurationSection child)
    {
        if (ScalarRules.NullIfEmpty(child.Value) is null)
        {
            return false;
        }

        // Not quoted: "ExternalAccountBinding": "<key>" is a mistake that people make.
        problems.Add(new ConfigurationProblem(child.Path, null, "is a single value, a section with keys is wanted", "Write { \"key\": \"value\" } in JSON"));
        return true;
    }

    private static bool IsNameKey(string key) => !IsIndex(key) && (key.IndexOf(':') is not (> 0 and var colon) || !IsIndex(key[..colon]) || IpAddressParser.TryParse(key, out _));

    private static bool IsIndex(string key) => int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
