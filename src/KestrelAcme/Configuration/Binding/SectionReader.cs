using System.Globalization;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Binding;

/// <summary>
/// Reads the keys of a configuration section, and collects problems instead of throwing. Keys that are read become known keys; <see
/// cref="ReportUnknownKeys"/> reports the others.
/// </summary>
/// <remarks>
/// The framework's binder appends lists to defaults, throws at the first invalid value, accepts <c>77</c> for an enum, and ignores
/// misspelled keys. An empty value counts as no value, since an environment variable can be emptied where it cannot be removed.
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

    /// <summary>Reads the name of an enum member.</summary>
    public void Choice<TEnum>(string key, Action<TEnum> set)
        where TEnum : struct, Enum => Value(key, _values.Choice<TEnum>, set);

    /// <summary>Reads a list of texts, which replaces the previous list.</summary>
    public void Texts(string key, Action<IList<string>> set)
    {
        var child = Child(key);
        if (OneText(child) is { } texts)
        {
            set(texts);
        }
        else if (Elements(child) is { } elements)
        {
            // Keeps empty elements, so that the rules report them.
            set([.. elements.Select(element => element.Value is { Length: > 0 } text ? text.Trim() : Scalar(element) ?? "")]);
        }
    }

    /// <summary>
    /// Reads a list of names, or an object with the names as keys. With an object, each of several sources can add names, and remove names
    /// by <c>false</c>.
    /// </summary>
    public void Names(string key, Action<IList<string>> set)
    {
        var child = Child(key);
        var children = child.GetChildren().ToList();
        if (children.TrueForAll(element => IsIndex(element.Key) && element.Value is not null))
        {
            Texts(key, set);
            return;
        }

        // A key may contain colons, as in an IPv6 address. Otherwise, a key below a number is not a name.
        var entries = child.AsEnumerable(makePathsRelative: true)
            .Where(pair => pair.Value is not null && IsNameKey(pair.Key))
            .OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase)
            .ToList();
        var names = children
            .Where(element => IsIndex(element.Key)
                && !entries.Exists(pair => pair.Key.StartsWith(element.Key + ":", StringComparison.Ordinal)))
            .Select(element => Scalar(element) ?? "")
            .ToList();
        foreach (var (name, value) in entries)
        {
            if (value!.Length > 0 && !bool.TryParse(value, out _))
            {
                problems.Add(new ConfigurationProblem(
                    ConfigurationPath.Combine(child.Path, name), value, "is neither true nor false",
                    "Write \"a.example\": true, or false to remove the name"));
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

    /// <summary>Reads a list of names of enum members, which replaces the previous list.</summary>
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

    /// <summary>Reads a nested section.</summary>
    public void Nested(string key, Action<SectionReader> read)
    {
        var child = Child(key);
        if (!HasStrayValue(child) && child.GetChildren().Any())
        {
            Read(child, read);
        }
    }

    /// <summary>
    /// Reads a list of sections. With <paramref name="text"/>, an element may be a text, and so may the list if it has one element.
    /// </summary>
    public void NestedList(string key, Action begin, Action<SectionReader> read, Action<string>? text = null)
    {
        var child = Child(key);
        if (text is not null && PlainTextOf(child) is { } only)
        {
            begin();
            text(only);
            return;
        }

        if (Elements(child) is not { } elements)
        {
            return;
        }

        begin();
        foreach (var element in elements)
        {
            if (text is not null && PlainTextOf(element) is { } value)
            {
                text(value);
            }
            else if (!HasStrayValue(element))
            {
                Read(element, read);
            }
        }
    }

    /// <summary>Reads a map with arbitrary keys and a text for each. A key may contain colons, as in an IPv6 address.</summary>
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

    /// <summary>Reads all keys that were not read before, with a text for each. They become known keys.</summary>
    public void Others(Action<string, string> set)
    {
        foreach (var child in section.GetChildren().Where(child => !_known.Contains(child.Key)).ToList())
        {
            Text(child.Key, value => set(child.Key, value));
        }
    }

    /// <summary>Reports all keys that were not read. Their values are not quoted, since a misspelled key may have a secret.</summary>
    /// <param name="readOthers">Called once if there is such a key, to read keys of another program.</param>
    public void ReportUnknownKeys(Action<SectionReader>? readOthers = null)
    {
        string[]? own = null;
        foreach (var child in section.GetChildren().Where(child => !_known.Contains(child.Key)))
        {
            own ??= [.. _known.Order(StringComparer.Ordinal)];
            readOthers?.Invoke(this);
            readOthers = null;
            if (_known.Contains(child.Key))
            {
                continue;
            }

            var fix = NearestName.Find(child.Key, _known) is { } nearest
                ? $"Did you mean '{nearest}'?"
                : $"Remove it. Known keys: {string.Join(", ", own)}";
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
            problems.Add(new ConfigurationProblem(child.Path, null, "is a list or a section, not a single value", "Write only the value"));
            return null;
        }

        return ScalarRules.NullIfEmpty(child.Value);
    }

    private static string? TextOf(IConfigurationSection child)
        => ScalarRules.NullIfEmpty(child.Value) is { } text && !child.GetChildren().Any() ? text : null;

    // JSON in an environment variable is not read. It is no text for a section either, and may have secrets, which would be shown.
    private static string? PlainTextOf(IConfigurationSection child)
        => TextOf(child) is { } text && text[0] is not ('[' or '{') ? text : null;

    /// <summary>Returns a list that is written as one text, separated by commas; otherwise <see langword="null"/>.</summary>
    private static string[]? OneText(IConfigurationSection child)
        => TextOf(child)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Returns the elements of a list, or <see langword="null"/> if there is no list, or after a problem.</summary>
    private List<IConfigurationSection>? Elements(IConfigurationSection child)
    {
        if (ScalarRules.NullIfEmpty(child.Value) is not null)
        {
            var variable = child.Path.Replace(":", "__", StringComparison.Ordinal);
            var fix = $"Write [\"...\", \"...\"] in JSON, or {variable}__0, {variable}__1 and so on in the environment";

            // Not quoted, since it may be JSON with secrets: environment variables are often written like that.
            problems.Add(new ConfigurationProblem(child.Path, null, "is a single value, not a list", fix));
            return null;
        }

        var elements = child.GetChildren().ToList();
        foreach (var stray in elements.Where(element => !IsIndex(element.Key)))
        {
            problems.Add(new ConfigurationProblem(stray.Path, null, "is not an element of a list", "Number the elements from 0"));
        }

        // An empty list in JSON becomes an empty value.
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

        // The value is not quoted, since it may be a secret: "ExternalAccountBinding": "<key>" is a common mistake.
        problems.Add(new ConfigurationProblem(
            child.Path, null, "is a single value, not a section with keys", "Write { \"key\": \"value\" } in JSON"));
        return true;
    }

    private static bool IsNameKey(string key)
        => !IsIndex(key)
            && (key.IndexOf(':') is not (> 0 and var colon) || !IsIndex(key[..colon]) || IpAddressParser.TryParse(key, out _));

    private static bool IsIndex(string key) => int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
