using System.Buffers.Text;
using System.Text.Json;

namespace KestrelAcme.Testing.Faults;

/// <summary>A request received by <see cref="FaultyProxy"/>.</summary>
/// <param name="Method">The method, such as POST.</param>
/// <param name="Path">The path with its query.</param>
/// <param name="Headers">The headers by name, case-insensitive; several values are joined with a comma.</param>
/// <param name="Body">The body as text.</param>
/// <param name="At">The time of arrival, in real time.</param>
public sealed record ProxiedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body, DateTimeOffset At)
{
    /// <summary>The status sent to the client; null before the response or if the connection was closed.</summary>
    public int? Status { get; internal set; }

    /// <summary>The protected header of the JWS in the body.</summary>
    public JsonElement DecodeProtected() => Decode("protected") ?? throw new InvalidOperationException($"{Method} {Path} holds no JWS.");

    /// <summary>The payload of the JWS in the body; null for a POST-as-GET.</summary>
    public JsonElement? DecodePayload() => Decode("payload");

    private JsonElement? Decode(string part)
    {
        var encoded = JsonDocument.Parse(Body).RootElement.GetProperty(part).GetString()!;
        return encoded.Length == 0 ? null : JsonDocument.Parse(Base64Url.DecodeFromChars(encoded)).RootElement;
    }
}
