using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KestrelAcme.Azure;
using KestrelAcme.Configuration;

namespace KestrelAcme.Architecture.Tests.OptionDocs;

/// <summary>
/// The JSON schema of the section, with which IDEs complete and check appsettings.json. The package adds it to the projects that use it.
/// </summary>
internal static partial class OptionSchema
{
    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    public static string Write()
        => new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["type"] = "object",
            ["properties"] = new JsonObject { [AcmeHttpsOptions.SectionName] = Section(typeof(AcmeHttpsOptions), new AcmeHttpsOptions()) },
        }.ToJsonString(Format) + "\n";

    private static JsonObject Section(Type type, object defaults)
    {
        var properties = new JsonObject();
        foreach (var option in OptionDoc.Of(type))
        {
            properties[option.Name] = Property(option, option.Property.GetValue(defaults));
        }

        if (type == typeof(AcmeHttpsOptions))
        {
            AddNamesOfLettuceEncrypt(properties);
        }

        // A provider's other keys depend on its type, and packages add types.
        var isProvider = type == typeof(DnsProviderOptions);
        if (isProvider)
        {
            AddProviderKeys(properties);
        }

        return isProvider
            ? new JsonObject { ["type"] = "object", ["properties"] = properties }
            : new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
    }

    private static JsonObject Property(OptionDoc option, object? value)
    {
        var schema = Shape(option, value);
        schema.Insert(0, "description", Plain($"{option.Meaning} {Remark(option.Default.TrimEnd('.'))}".TrimEnd()));
        return schema;
    }

    // A default, or a sentence in its place, such as "Set this or `HmacKeyFile`".
    private static string Remark(string text)
        => text switch
        {
            "" => "",
            "required" => "Required.",
            [var first, ..] when char.IsUpper(first) && !text.StartsWith("Zero", StringComparison.Ordinal) => $"{text}.",
            _ => $"Default: {text}.",
        };

    private static JsonObject Shape(OptionDoc option, object? value)
    {
        var type = option.Property.PropertyType;
        if (option.IsSection)
        {
            var section = Section(option.Element, Activator.CreateInstance(option.Element)!);
            if (!option.IsList)
            {
                return section;
            }

            // A folder to import may be its path alone.
            var items = option.Name == nameof(AcmeHttpsOptions.ImportFrom)
                ? new JsonObject { ["anyOf"] = new JsonArray(Text(), section) }
                : section;
            return new JsonObject { ["type"] = "array", ["items"] = items };
        }

        if (option.IsList)
        {
            return List(option);
        }

        if (type == typeof(IDictionary<string, string>))
        {
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = "string" } };
        }

        var schema = option.Element switch
        {
            { IsEnum: true } choice => Enumeration([.. Enum.GetNames(choice), .. OfLettuceEncrypt(choice)]),
            var flag when flag == typeof(bool) => new JsonObject { ["type"] = "boolean" },
            var number when number == typeof(int) => new JsonObject { ["type"] = "integer" },
            var text when text == typeof(string) => Suggestions(option) is { Count: > 0 } names ? OneOfOrText(names) : Text(),
            var duration when duration == typeof(TimeSpan) => Text("^-?(\\d+\\.)?\\d{1,2}:\\d{2}(:\\d{2}(\\.\\d{1,7})?)?$"),
            _ => throw new InvalidOperationException($"No schema for the type of {option.Name}, {option.Property.PropertyType}."),
        };
        var (least, most) = option.Range;
        if (option.Element == typeof(int) && least is { } minimum)
        {
            schema["minimum"] = minimum;
        }

        if (option.Element == typeof(int) && most is { } maximum)
        {
            schema["maximum"] = maximum;
        }

        if (value is bool or int or Enum)
        {
            schema["default"] = value is Enum ? value.ToString() : JsonSerializer.SerializeToNode(value);
        }

        return schema;
    }

    // A list may also be one text with commas, and a list of names an object with the names as keys.
    private static JsonObject List(OptionDoc option)
    {
        var items = option.Element.IsEnum
            ? Enumeration([.. Enum.GetNames(option.Element), .. OfLettuceEncrypt(option.Element)])
            : Suggestions(option) is { Count: > 0 } names ? OneOfOrText(names) : Text();
        var forms = new JsonArray(new JsonObject { ["type"] = "array", ["items"] = items }, Text());
        if (option.Name == nameof(AcmeHttpsOptions.DomainNames))
        {
            forms.Add((JsonNode)new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = new JsonObject { ["type"] = "boolean" },
            });
        }

        return new JsonObject { ["anyOf"] = forms };
    }

    // What an IDE offers; other texts are allowed, too.
    private static List<string> Suggestions(OptionDoc option)
        => option.Name switch
        {
            nameof(AcmeHttpsOptions.DirectoryUrl) => OptionDoc.Authorities(),
            nameof(AcmeHttpsOptions.ChallengeTypes) => [.. ChallengeType()
                .Matches(OptionDoc.Of(typeof(AcmeHttpsOptions)).Single(all => all.Name == option.Name).Meaning)
                .Select(match => match.Groups[1].Value)],
            nameof(DnsProviderOptions.Type) => [.. ProviderTypes().Select(type => type.Name)],
            _ => [],
        };

    // What LettuceEncryptNames reads.
    private static void AddNamesOfLettuceEncrypt(JsonObject properties)
    {
        var credentials = new JsonObject();
        void Add(JsonObject to, string name, JsonObject schema, string meaning)
        {
            schema.Insert(0, "description", $"A name of LettuceEncrypt: {meaning}");
            to[name] = schema;
        }

        const string unused = "has no effect. The CA advises when to renew, or it is when a third of the lifetime is left.";
        Add(properties, "UseStagingServer", new JsonObject { ["type"] = "boolean" }, "'true' is 'DirectoryUrl': 'LetsEncryptStaging'.");
        Add(properties, "AllowedChallengeTypes", Text(), "'ChallengeTypes'. 'Http01', 'TlsAlpn01', 'Dns01' or 'Any', separated by commas.");
        Add(properties, "KeySize", new JsonObject { ["enum"] = new JsonArray(2048, 3072, 4096) }, "with 'RS256', the size of the key.");
        Add(properties, "RenewDaysInAdvance", Text(), unused);
        Add(properties, "RenewalCheckPeriod", Text(), unused);
        Add(
            properties, "AdditionalIssuers", new JsonObject { ["type"] = "array", ["items"] = Text() },
            "has no effect. The chain is served as the CA sends it.");
        Add(credentials, "EabKeyId", Text(), "'KeyId'.");
        Add(credentials, "EabKey", Text(), "'HmacKey'.");
        Add(credentials, "EabKeyAlg", Enumeration(["HS256"]), "the algorithm, which is always this one.");
        Add(
            properties, "EabCredentials",
            new JsonObject { ["type"] = "object", ["properties"] = credentials, ["additionalProperties"] = false },
            "'ExternalAccountBinding'.");
    }

    private static void AddProviderKeys(JsonObject properties)
    {
        var keys = from type in ProviderTypes()
                   from option in OptionDoc.Of(type.Options)
                   group (Type: type.Name, Option: option) by option.Name;
        foreach (var key in keys)
        {
            var description = string.Join(' ', key.Select(use => $"{use.Type}: {use.Option.Meaning}"));
            properties[key.Key] = new JsonObject { ["description"] = Plain(description), ["type"] = "string" };
        }
    }

    private static IEnumerable<(string Name, Type Options)> ProviderTypes()
        => from type in typeof(DnsProviderOptions).Assembly.GetExportedTypes().Concat(typeof(AzureDnsOptions).Assembly.GetExportedTypes())
           where type.IsSubclassOf(typeof(DnsProviderOptions))
           orderby type.Name
           select (((DnsProviderOptions)Activator.CreateInstance(type)!).Type!, type);

    // ValueParser reads them, too.
    private static string[] OfLettuceEncrypt(Type choice) => choice == typeof(KeyAlgorithm) ? ["ES256", "ES384", "RS256"] : [];

    private static JsonObject Text(string? pattern = null)
        => pattern is null ? new JsonObject { ["type"] = "string" } : new JsonObject { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject Enumeration(IEnumerable<string> names)
        => new() { ["enum"] = new JsonArray([.. names.Select(name => JsonValue.Create(name))]) };

    private static JsonObject OneOfOrText(IEnumerable<string> names) => new() { ["anyOf"] = new JsonArray(Enumeration(names), Text()) };

    private static string Plain(string markdown) => markdown.Replace('`', '\'');

    [GeneratedRegex("`([a-z]+(?:-[a-z]+)*-01)`")]
    private static partial Regex ChallengeType();
}
