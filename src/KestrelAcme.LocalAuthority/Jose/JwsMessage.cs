using System.Text;
using System.Text.Json;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>A JWS that has been decoded but not verified.</summary>
internal sealed record JwsMessage(ProtectedHeader Header, byte[] Payload, byte[] SigningInput, byte[] Signature)
{
    public static JwsMessage Parse(ReadOnlySpan<byte> json)
    {
        FlattenedJws jws;
        try
        {
            jws = JsonSerializer.Deserialize(json, AuthorityJson.Default.FlattenedJws) ?? new FlattenedJws();
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The body is not a JWS in flattened JSON serialization: " + e.Message).ToException();
        }

        return From(jws);
    }

    public static JwsMessage From(FlattenedJws jws)
    {
        if (jws.Signatures is not null)
        {
            throw Problem.Malformed("The JWS has a 'signatures' member: exactly one signature is allowed.").ToException();
        }

        if (jws.Header is not null)
        {
            throw Problem.Malformed("The JWS has an unprotected header.").ToException();
        }

        if (!Base64UrlText.TryDecode(jws.Protected, out var header)
            || !Base64UrlText.TryDecode(jws.Payload, out var payload)
            || !Base64UrlText.TryDecode(jws.Signature, out var signature))
        {
            throw Problem.Malformed("'protected', 'payload' and 'signature' must be base64url without padding.").ToException();
        }

        return new JwsMessage(ReadHeader(header), payload, Encoding.ASCII.GetBytes(jws.Protected + "." + jws.Payload), signature);
    }

    private static ProtectedHeader ReadHeader(byte[] json)
    {
        try
        {
            var header = JsonSerializer.Deserialize(json, AuthorityJson.Default.ProtectedHeader) ?? new ProtectedHeader();
            return header is { Crit: null, B64: null }
                ? header
                : throw Problem.Malformed("The protected header has an extension ('crit' or 'b64') that is not supported.").ToException();
        }
        catch (JsonException e)
        {
            throw Problem.Malformed("The protected header is not the expected JSON: " + e.Message).ToException();
        }
    }
}

/// <summary>
/// The flattened JSON serialization (RFC 7515 section 7.2.2), including members that RFC 8555 forbids so that they can
/// be rejected.
/// </summary>
internal sealed record FlattenedJws
{
    public string? Protected { get; init; }

    public string? Payload { get; init; }

    public string? Signature { get; init; }

    public JsonElement? Header { get; init; }

    public JsonElement? Signatures { get; init; }
}

/// <summary>The protected header of a request (RFC 8555 section 6.2).</summary>
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
