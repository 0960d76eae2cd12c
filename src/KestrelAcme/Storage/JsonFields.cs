using System.Text.Json;

namespace KestrelAcme.Storage;

/// <summary>
/// Reads a stored JSON object field by field. Unknown fields are ignored; of two with the same name, the last one counts.
/// </summary>
/// <remarks>
/// A generated serializer would be less code. But it is generic over the type of each property, and the JIT compiles it anew for each value
/// type: that was a quarter of what it compiled before the first handshake after a restart.
/// </remarks>
internal sealed class JsonFields
{
    private readonly JsonElement _json;

    /// <exception cref="JsonException">The value is not an object.</exception>
    public JsonFields(JsonElement json)
        => _json = json.ValueKind == JsonValueKind.Object ? json : throw new JsonException("the value is not an object");

    /// <summary>Reads an object.</summary>
    /// <param name="value">The JSON, in UTF-8.</param>
    /// <param name="read">Reads its fields.</param>
    /// <returns><see langword="null"/> if the JSON is <c>null</c>.</returns>
    /// <exception cref="JsonException">It is not valid JSON, or a field is missing or has a wrong value.</exception>
    public static T? Read<T>(ReadOnlySpan<byte> value, Func<JsonFields, T> read)
        where T : class
    {
        var reader = new Utf8JsonReader(value);
        using var document = JsonDocument.ParseValue(ref reader);

        // Throws if anything follows.
        reader.Read();
        try
        {
            return document.RootElement.ValueKind == JsonValueKind.Null ? null : read(new JsonFields(document.RootElement));
        }
        catch (InvalidOperationException exception)
        {
            // Bytes or escapes that are not text are found when the text is read.
            throw new JsonException($"a text in it is not valid: {exception.Message}", exception);
        }
    }

    /// <summary>Writes an object.</summary>
    public static byte[] Write<T>(T value, Action<Utf8JsonWriter, T> write, bool indented = false)
        where T : class
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = indented }))
        {
            json.WriteStartObject();
            write(json, value);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    public string Text(string name) => OptionalText(name) ?? throw Missing(name);

    public string? OptionalText(string name)
        => !TryFind(name, out var field) ? null
            : field.ValueKind == JsonValueKind.String ? field.GetString()
            : throw Wrong(name, "a text");

    public bool Flag(string name, bool otherwise = false)
        => !TryFind(name, out var field) ? otherwise
            : field.ValueKind is JsonValueKind.True or JsonValueKind.False ? field.GetBoolean()
            : throw Wrong(name, "true or false");

    public int Number(string name, int otherwise = 0)
        => !TryFind(name, out var field) ? otherwise
            : field.ValueKind == JsonValueKind.Number && field.TryGetInt32(out var number) ? number
            : throw Wrong(name, "a whole number");

    public long LongNumber(string name, long? otherwise = null)
        => !TryFind(name, out var field) ? otherwise ?? throw Missing(name)
            : field.ValueKind == JsonValueKind.Number && field.TryGetInt64(out var number) ? number
            : throw Wrong(name, "a whole number");

    public double Fraction(string name, double? otherwise = null)
        => !TryFind(name, out var field) ? otherwise ?? throw Missing(name)
            : field.ValueKind == JsonValueKind.Number && field.TryGetDouble(out var number) ? number
            : throw Wrong(name, "a number");

    public DateTimeOffset Instant(string name) => OptionalInstant(name) ?? throw Missing(name);

    public DateTimeOffset? OptionalInstant(string name) => TryFind(name, out var field) ? InstantOf(field, name) : null;

    public Uri Url(string name) => OptionalUrl(name) ?? throw Missing(name);

    public Uri? OptionalUrl(string name)
        => OptionalText(name) is not { } text ? null
            : Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out var url) ? url
            : throw Wrong(name, "a URL");

    public byte[] Bytes(string name)
        => !TryFind(name, out var field) ? throw Missing(name)
            : field.ValueKind == JsonValueKind.String && field.TryGetBytesFromBase64(out var bytes) ? bytes
            : throw Wrong(name, "base64");

    /// <summary>Reads the name of an enum member, or its number, which may be one without a name.</summary>
    public TEnum? Choice<TEnum>(string name)
        where TEnum : struct, Enum
        => !TryFind(name, out var field) ? null
            : field.ValueKind == JsonValueKind.Number && field.TryGetInt32(out var number) ? (TEnum)Enum.ToObject(typeof(TEnum), number)
            : field.ValueKind == JsonValueKind.String && Enum.TryParse(typeof(TEnum), field.GetString(), ignoreCase: true, out var value)
                ? (TEnum)value
            : throw Wrong(name, "one of the known words");

    public JsonFields? Object(string name)
        => !TryFind(name, out var field) ? null
            : field.ValueKind == JsonValueKind.Object ? new JsonFields(field)
            : throw Wrong(name, "an object");

    /// <summary>Reads a list of texts, any of which may be <see langword="null"/>.</summary>
    public string[]? Texts(string name)
    {
        if (!TryFind(name, out var list))
        {
            return null;
        }

        var texts = new string[Length(list, name)];
        for (var i = 0; i < texts.Length; i++)
        {
            texts[i] = list[i].ValueKind is JsonValueKind.String or JsonValueKind.Null ? list[i].GetString()! : throw Wrong(name, "texts");
        }

        return texts;
    }

    public DateTimeOffset[]? Instants(string name)
    {
        if (!TryFind(name, out var list))
        {
            return null;
        }

        var instants = new DateTimeOffset[Length(list, name)];
        for (var i = 0; i < instants.Length; i++)
        {
            instants[i] = InstantOf(list[i], name);
        }

        return instants;
    }

    public T[]? Objects<T>(string name, Func<JsonFields, T> read)
        where T : class
    {
        if (!TryFind(name, out var list))
        {
            return null;
        }

        var objects = new T[Length(list, name)];
        for (var i = 0; i < objects.Length; i++)
        {
            objects[i] = read(new JsonFields(list[i]));
        }

        return objects;
    }

    /// <summary>The names of all fields.</summary>
    public IEnumerable<string> Names()
    {
        foreach (var field in _json.EnumerateObject())
        {
            yield return field.Name;
        }
    }

    // A field that is null counts as missing.
    private bool TryFind(string name, out JsonElement field)
        => _json.TryGetProperty(name, out field) && field.ValueKind != JsonValueKind.Null;

    private static int Length(JsonElement field, string name)
        => field.ValueKind == JsonValueKind.Array ? field.GetArrayLength() : throw Wrong(name, "a list");

    private static DateTimeOffset InstantOf(JsonElement field, string name)
        => field.ValueKind == JsonValueKind.String && field.TryGetDateTimeOffset(out var instant) ? instant : throw Wrong(name, "a time");

    private static JsonException Missing(string name) => new($"'{name}' is missing");

    private static JsonException Wrong(string name, string expected) => new($"'{name}' is not {expected}");
}
