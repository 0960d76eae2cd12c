using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace KestrelAcme.Protocol.Jose;

/// <summary>
/// Writes the flattened JSON serialization (RFC 7515 section 7.2.2), the only one that ACME allows (RFC 8555 section
/// 6.2).
/// </summary>
internal static class FlattenedJws
{
    public delegate byte[] Signature(ReadOnlySpan<byte> signingInput);

    /// <summary>Writes a request, signed by an account (<c>kid</c>) or by a key without an account (<c>jwk</c>).</summary>
    public static byte[] ForRequest(JwsSender sender, Uri url, string? nonce, ReadOnlySpan<byte> payload)
    {
        var header = Json(writer =>
        {
            writer.WriteString("alg", sender.Signer.Algorithm);
            if (sender.AccountUrl is { } accountUrl)
            {
                writer.WriteString("kid", accountUrl.OriginalString);
            }
            else
            {
                writer.WritePropertyName("jwk");
                sender.Signer.WriteJwk(writer);
            }

            if (nonce is not null)
            {
                writer.WriteString("nonce", nonce);
            }

            writer.WriteString("url", url.AbsoluteUri);
        });
        return Write(header, payload, sender.Signer.Sign);
    }

    /// <summary>
    /// Writes an external account binding (RFC 8555 section 7.3.4): the account's public key, signed with the CA's HMAC
    /// key.
    /// </summary>
    public static byte[] ForExternalAccount(HmacJwsKey key, string keyId, Uri newAccountUrl, ReadOnlySpan<byte> jwk)
    {
        var header = Json(writer =>
        {
            writer.WriteString("alg", "HS256");
            writer.WriteString("kid", keyId);
            writer.WriteString("url", newAccountUrl.AbsoluteUri);
        });
        return Write(header, jwk, key.Sign);
    }

    /// <summary>Combines and signs a protected header and a payload.</summary>
    public static byte[] Write(ReadOnlySpan<byte> protectedHeader, ReadOnlySpan<byte> payload, Signature sign)
    {
        var encodedHeader = Base64Url.EncodeToString(protectedHeader);
        var encodedPayload = Base64Url.EncodeToString(payload);
        var signature = sign(Encoding.ASCII.GetBytes($"{encodedHeader}.{encodedPayload}"));
        return Json(writer =>
        {
            writer.WriteString("protected", encodedHeader);
            writer.WriteString("payload", encodedPayload);
            writer.WriteString("signature", Base64Url.EncodeToString(signature));
        });
    }

    private static byte[] Json(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
