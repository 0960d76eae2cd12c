using System.Text.Json;
using System.Text.Json.Serialization;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>Reads text from a server's JSON that was parsed but not decoded.</summary>
/// <remarks>
/// A parsed document may hold text that is not valid UTF-8, or half of a surrogate pair. Reading it throws
/// <see cref="InvalidOperationException"/>, which callers do not expect for bad data.
/// </remarks>
internal static class JsonText
{
    /// <returns><see langword="null"/> if the element is not a string or not valid text.</returns>
    public static string? Read(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <returns>The members with valid names, in their order.</returns>
    public static IEnumerable<(string Name, JsonElement Value)> Members(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            yield break;
        }

        foreach (var member in element.EnumerateObject())
        {
            if (NameOf(member) is { } name)
            {
                yield return (name, member.Value);
            }
        }
    }

    private static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>
/// Reads optional text, such as a time: a value of another type counts as missing instead of making the document unreadable.
/// </summary>
internal sealed class OptionalTextConverter : JsonConverter<string?>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return reader.GetString();
        }

        reader.Skip();
        return null;
    }

    public override void Write(Utf8JsonWriter writer, string? value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
