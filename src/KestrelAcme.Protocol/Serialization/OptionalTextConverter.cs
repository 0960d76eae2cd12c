using System.Text.Json;
using System.Text.Json.Serialization;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>
/// Reads text that nothing depends on, such as a time: a value of another type counts as missing and spoils nothing else.
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
