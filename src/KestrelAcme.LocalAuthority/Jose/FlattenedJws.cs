using System.Text.Json;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>The flattened JSON serialization of RFC 7515 section 7.2.2, with the members that RFC 8555 forbids so that they can be refused.</summary>
internal sealed record FlattenedJws
{
    public string? Protected { get; init; }

    public string? Payload { get; init; }

    public string? Signature { get; init; }

    public JsonElement? Header { get; init; }

    public JsonElement? Signatures { get; init; }
}
