using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using KestrelAcme.Azure;
using KestrelAcme.Configuration;

namespace KestrelAcme.Architecture.Tests.OptionDocs;

/// <summary>An option with its XML documentation, for the table in docs/options.md and the JSON schema in the package.</summary>
internal sealed partial record OptionDoc(PropertyInfo Property)
{
    private static readonly Dictionary<string, XElement> Members =
        new[] { typeof(AcmeHttpsOptions), typeof(AzureDnsOptions) }
            .SelectMany(type => XDocument.Load(Path.ChangeExtension(type.Assembly.Location, ".xml")).Descendants("member"))
            .DistinctBy(member => member.Attribute("name")!.Value)
            .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    private static readonly Lazy<Dictionary<string, string>> Sections = new(
        () => Of(typeof(AcmeHttpsOptions))
            .Where(option => option.IsSection)
            .ToDictionary(option => option.Element.FullName!, option => option.Name));

    /// <summary>The key in the configuration.</summary>
    public string Name => Property.Name;

    /// <summary>Its type, or the type of its elements.</summary>
    public Type Element { get; } = ElementOf(Property.PropertyType);

    /// <summary>Whether it is a list.</summary>
    public bool IsList => Element != Property.PropertyType && Nullable.GetUnderlyingType(Property.PropertyType) is null;

    /// <summary>Whether it, or each of its elements, is a section with options of its own.</summary>
    public bool IsSection => IsSectionType(Element);

    /// <summary>What it means, in Markdown.</summary>
    public string Meaning => Text(Key, "summary");

    /// <summary>Its default and its range, in Markdown; empty if there is nothing to say.</summary>
    public string Default
    {
        get
        {
            var text = NoValue().Replace(Text(Key, "value"), "");
            return text.IndexOf(". ", StringComparison.Ordinal) < 0 ? text.TrimEnd('.') : text;
        }
    }

    /// <summary>The smallest and the largest number, if the documentation has them.</summary>
    public (int? Least, int? Most) Range
    {
        get
        {
            var match = NumberRange().Match(Default);
            return (Number(match.Groups[1].Value), Number(match.Groups[2].Value));
        }
    }

    private string Key => $"P:{Property.DeclaringType!.FullName}.{Name}";

    /// <summary>The options that a class declares itself, in the order of the source.</summary>
    public static List<OptionDoc> Of(Type type)
        => [
            .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(property => property.CanWrite)
                .OrderBy(property => property.MetadataToken)
                .Select(property => new OptionDoc(property)),
        ];

    /// <summary>The members of an enum with the first sentence about each, in Markdown.</summary>
    public static List<(string Name, string Meaning)> Choices(Type type)
        => [.. Enum.GetNames(type).Select(name => (name, FirstSentence().Match(Text($"F:{type.FullName}.{name}", "summary")).Value))];

    /// <summary>The names that <see cref="AcmeHttpsOptions.DirectoryUrl"/> accepts.</summary>
    public static List<string> Authorities()
        => [
            .. typeof(WellKnownAuthorities).GetFields()
                .Where(field => field.IsLiteral)
                .Select(field => (string)field.GetRawConstantValue()!),
        ];

    /// <summary>Whether a type is a section with options of its own.</summary>
    public static bool IsSectionType(Type type) => type.IsClass && type.Namespace == typeof(AcmeHttpsOptions).Namespace;

    private static Type ElementOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IList<>) ? type.GetGenericArguments()[0] : type;
    }

    private static string Text(string key, string element)
    {
        var found = Members.GetValueOrDefault(key)?.Element(element)
            ?? throw new InvalidOperationException($"{key} has no <{element}> in its documentation.");
        var text = new StringBuilder();
        foreach (var node in found.Nodes())
        {
            text.Append(node is XElement inner ? Inline(inner, key) : ((XText)node).Value);
        }

        return Space().Replace(text.ToString(), " ").Trim();
    }

    private static string Inline(XElement element, string member)
        => element switch
        {
            { Name.LocalName: "c" } => $"`{element.Value}`",
            { Name.LocalName: "see" } when element.Attribute("langword") is { } word => $"`{word.Value}`",
            { Name.LocalName: "see" } when element.Attribute("cref")!.Value == $"T:{typeof(WellKnownAuthorities).FullName}"
                => string.Join(", ", Authorities().Select(name => $"`{name}`")),
            { Name.LocalName: "see" } when element.Attribute("cref") is { } reference => Reference(reference.Value.Split('(')[0], member),
            _ => throw new InvalidOperationException($"The table cannot show this element of the documentation of {member}: {element}"),
        };

    // An option of another section is named with its section, as in "`Profile` of `Authorities`".
    private static string Reference(string reference, string member)
    {
        var name = reference.Split('.')[^1];
        if (name == nameof(AcmeHttpsOptions))
        {
            return $"`{AcmeHttpsOptions.SectionName}`";
        }

        var owner = reference[2..^(name.Length + 1)];
        var section = owner == typeof(AcmeHttpsOptions).FullName
            ? AcmeHttpsOptions.SectionName
            : Sections.Value.GetValueOrDefault(owner);
        return section is null || member.StartsWith($"P:{owner}.", StringComparison.Ordinal) ? $"`{name}`" : $"`{name}` of `{section}`";
    }

    private static int? Number(string text)
        => text.Length == 0 ? null : int.Parse(text, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    // "None: the CA chooses." says no more than "the CA chooses".
    [GeneratedRegex("^(?:None|Empty|`null`)(?:: |\\. ?)")]
    private static partial Regex NoValue();

    [GeneratedRegex("from (\\d[\\d,]*)(?: to (\\d[\\d,]*\\d|\\d)(?! \\w))?")]
    private static partial Regex NumberRange();

    [GeneratedRegex("^.*?\\.(?= |$)")]
    private static partial Regex FirstSentence();

    [GeneratedRegex("\\s+")]
    private static partial Regex Space();
}
