using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Reads JSON back that was stored.</summary>
internal static class StoredJson
{
    /// <param name="value">The JSON, in UTF-8.</param>
    /// <param name="type">What it is to be.</param>
    /// <param name="what">What it is of the value, for the message: the value itself, or its metadata.</param>
    /// <exception cref="DamagedValueException">It is not that, or nothing.</exception>
    public static T Decode<T>(ReadOnlySpan<byte> value, JsonTypeInfo<T> type, string what = "it")
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(value, type) ?? throw new DamagedValueException($"{what} is empty");
        }
        catch (JsonException exception)
        {
            throw new DamagedValueException($"{what} is not readable: {exception.Message}", exception);
        }
    }
}
