using System.Text.Json;

namespace KestrelAcme.Storage;

/// <summary>Writes the fields that <see cref="JsonFields"/> reads. What is <see langword="null"/> is left out.</summary>
internal static class JsonFieldsExtensions
{
    public static void WriteText(this Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    public static void WriteUrl(this Utf8JsonWriter json, string name, Uri? value) => json.WriteText(name, value?.OriginalString);

    public static void WriteInstant(this Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is { } instant)
        {
            json.WriteString(name, instant);
        }
    }

    public static void WriteObject<T>(this Utf8JsonWriter json, string name, T? value, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        if (value is not null)
        {
            json.WriteStartObject(name);
            write(json, value);
            json.WriteEndObject();
        }
    }

    public static void WriteTexts(this Utf8JsonWriter json, string name, IReadOnlyList<string>? values)
        => json.WriteObjects(name, values, static (json, value) => json.WriteStringValue(value));

    public static void WriteInstants(this Utf8JsonWriter json, string name, DateTimeOffset[]? values)
    {
        if (values is not null)
        {
            json.WriteStartArray(name);
            foreach (var value in values)
            {
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
        }
    }

    public static void WriteObjects<T>(this Utf8JsonWriter json, string name, IReadOnlyList<T>? values, Action<Utf8JsonWriter, T> write)
        where T : class
    {
        if (values is not null)
        {
            json.WriteStartArray(name);
            for (var i = 0; i < values.Count; i++)
            {
                write(json, values[i]);
            }

            json.WriteEndArray();
        }
    }
}
