using System.Text.Json;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>The protected header of a request, RFC 8555 section 6.2.</summary>
internal sealed record ProtectedHeader
{
    public string? Alg { get; init; }

    public string? Nonce { get; init; }

    public string? Url { get; init; }

    public string? Kid { get; init; }

    public JsonWebKey? Jwk { get; init; }

    public JsonElement? Crit { get; init; }

    public JsonElement? B64 { get; init; }
}
