using System.Text.Json;
using System.Text.RegularExpressions;

namespace KestrelAcme.Architecture.Tests.OptionDocs;

/// <summary>Checks JSON against a schema, with the keywords that the schema of the options uses. Another keyword is an error.</summary>
internal static class SchemaCheck
{
    public static List<string> Problems(string schema, string json)
    {
        using var document = JsonDocument.Parse(schema);
        using var value = JsonDocument.Parse(json);
        return [.. Problems(document.RootElement, value.RootElement, "$")];
    }

    private static IEnumerable<string> Problems(JsonElement schema, JsonElement value, string path)
        => schema.EnumerateObject().SelectMany(keyword => Problems(schema, keyword.Name, keyword.Value, value, path));

    private static IEnumerable<string> Problems(JsonElement schema, string keyword, JsonElement rule, JsonElement value, string path)
        => keyword switch
        {
            "$schema" or "description" or "default" => [],
            "type" => IsOfType(value, rule.GetString()!) ? [] : [$"{path} is not of the type {rule}"],
            "enum" => rule.EnumerateArray().Any(allowed => JsonElement.DeepEquals(allowed, value)) ? [] : [$"{path} is not one of {rule}"],
            "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, rule.GetString()!)
                ? []
                : [$"{path} does not match {rule}"],
            "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= rule.GetDouble() ? [] : [$"{path} is too small"],
            "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= rule.GetDouble() ? [] : [$"{path} is too big"],
            "items" => value.ValueKind != JsonValueKind.Array
                ? []
                : value.EnumerateArray().SelectMany((item, i) => Problems(rule, item, $"{path}[{i}]")),
            "properties" => value.ValueKind != JsonValueKind.Object
                ? []
                : value.EnumerateObject()
                    .Where(property => rule.TryGetProperty(property.Name, out _))
                    .SelectMany(property => Problems(rule.GetProperty(property.Name), property.Value, $"{path}.{property.Name}")),
            "additionalProperties" => value.ValueKind != JsonValueKind.Object
                ? []
                : value.EnumerateObject()
                    .Where(property => !schema.TryGetProperty("properties", out var known) || !known.TryGetProperty(property.Name, out _))
                    .SelectMany(property => rule.ValueKind == JsonValueKind.False
                        ? [$"{path}.{property.Name} is not a known key"]
                        : Problems(rule, property.Value, $"{path}.{property.Name}")),
            "anyOf" => rule.EnumerateArray().Any(form => !Problems(form, value, path).Any()) ? [] : [$"{path} has no allowed form"],
            _ => throw new InvalidOperationException($"The keyword {keyword} is not checked."),
        };

    private static bool IsOfType(JsonElement value, string type)
        => type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            _ => throw new InvalidOperationException($"The type {type} is not checked."),
        };
}
