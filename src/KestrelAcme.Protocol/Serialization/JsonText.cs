using System.Text.Json;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>Reads text from JSON of a server that was parsed but not decoded yet.</summary>
/// <remarks>
/// A parsed document may still hold text that is not UTF-8, or half of a surrogate pair: reading that throws
/// <see cref="InvalidOperationException"/>, which no caller expects of data.
/// </remarks>
internal static class JsonText
{
    /// <returns><see langword="null"/> if the element is not a string, or not valid text.</returns>
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

    /// <returns>The members whose names are valid text, in their order.</returns>
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
