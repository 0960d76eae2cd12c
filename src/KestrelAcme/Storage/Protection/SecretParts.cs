using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace KestrelAcme.Storage.Protection;

/// <summary>
/// Finds the secrets in a stored value, and replaces them: PEM blocks with private keys, and the properties <c>privateKey</c> and
/// <c>password</c> of JSON. The rest, such as the chain of a certificate, stays readable. Pure.
/// </summary>
internal static class SecretParts
{
    /// <summary>The label of a secret that is a whole value, because nothing in it could be told apart.</summary>
    public const string WholeValue = "*";

    private const string ProtectedLabel = "KESTRELACME PROTECTED KEY";
    private const string PrivateKeyLabel = "PRIVATE KEY";
    private const string JsonLabel = "";
    private const string JsonPrefix = "kestrelacme-protected:";

    /// <summary>Whether a value contains an encrypted secret, even if it is damaged or was stored in another encoding.</summary>
    public static bool IsAnyProtected(ReadOnlySpan<byte> value)
    {
        // UTF-16 is ASCII with zeros in between.
        var text = value.Contains((byte)0) ? value.ToArray().Where(b => b != 0).ToArray() : value;
        return text.IndexOf(Encoding.ASCII.GetBytes(ProtectedLabel)) >= 0 || text.IndexOf(Encoding.ASCII.GetBytes(JsonPrefix)) >= 0;
    }

    /// <summary>
    /// Returns the secrets that are not encrypted; <see langword="null"/> if they cannot be told apart, so that the whole value is one.
    /// </summary>
    public static List<SecretPart>? FindPlain(ReadOnlyMemory<byte> value, SecretFormat format)
    {
        if (format == SecretFormat.Json)
        {
            return FindJson(value, isProtected: false, out var isComplete) is var found && isComplete ? found : null;
        }

        var parts = FindPem(value, isProtected: false);
        return parts.Count > 0 ? parts : null;
    }

    /// <summary>Returns the secrets that are encrypted.</summary>
    public static List<SecretPart> FindProtected(ReadOnlyMemory<byte> value, SecretFormat format)
        => FindPem(value, isProtected: true) is { Count: > 0 } parts ? parts
            : format == SecretFormat.Json ? FindJson(value, isProtected: true, out _)
            : [];

    /// <summary>Returns the value with other text for each of its parts.</summary>
    public static byte[] Replace(ReadOnlyMemory<byte> value, List<SecretPart> parts, Func<SecretPart, byte[]> textOf)
    {
        var result = new ArrayBufferWriter<byte>(value.Length + 1);
        var at = 0;
        foreach (var part in parts)
        {
            result.Write(value.Span[at..part.Start]);
            result.Write(textOf(part));
            at = part.End;
        }

        result.Write(value.Span[at..]);
        return result.WrittenSpan.ToArray();
    }

    /// <summary>Returns the text of a secret.</summary>
    public static byte[] PlainText(string label, ReadOnlySpan<byte> secret) => label switch
    {
        WholeValue => secret.ToArray(),
        JsonLabel => JsonText(Encoding.UTF8.GetString(secret)),
        _ => Encoding.UTF8.GetBytes(PemEncoding.WriteString(label, secret)),
    };

    /// <summary>Returns the text of an encrypted secret.</summary>
    public static byte[] ProtectedText(string label, ReadOnlySpan<byte> envelope) => label == JsonLabel
        ? JsonText(JsonPrefix + Convert.ToBase64String(envelope))
        : Encoding.UTF8.GetBytes(PemEncoding.WriteString(ProtectedLabel, envelope));

    private static byte[] JsonText(string text) => [(byte)'"', .. JsonEncodedText.Encode(text).EncodedUtf8Bytes, (byte)'"'];

    private static List<SecretPart> FindPem(ReadOnlyMemory<byte> value, bool isProtected)
    {
        var parts = new List<SecretPart>(1);
        for (var start = 0; PemEncoding.TryFindUtf8(value.Span[start..], out var fields); start += fields.Location.End.Value)
        {
            var text = value.Span[start..];
            var label = Encoding.UTF8.GetString(text[fields.Label]);
            var content = new byte[fields.DecodedDataLength];
            if ((isProtected ? label == ProtectedLabel : label.EndsWith(PrivateKeyLabel, StringComparison.Ordinal))
                && Base64.DecodeFromUtf8(text[fields.Base64Data], content, out _, out var written) == OperationStatus.Done)
            {
                var (offset, length) = fields.Location.GetOffsetAndLength(text.Length);
                parts.Add(new SecretPart(start + offset, start + offset + length, label, content.AsMemory(0, written)));
            }
        }

        return parts;
    }

    private static List<SecretPart> FindJson(ReadOnlyMemory<byte> value, bool isProtected, out bool isComplete)
    {
        var parts = new List<SecretPart>(1);
        var reader = new Utf8JsonReader(value.Span);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName
                    || !(reader.ValueTextEquals("privateKey"u8) || reader.ValueTextEquals("password"u8))
                    || !reader.Read() || reader.TokenType != JsonTokenType.String)
                {
                    continue;
                }

                var text = reader.GetString()!;
                var isEnvelope = text.StartsWith(JsonPrefix, StringComparison.Ordinal);
                if (isEnvelope == isProtected && Content(text, isEnvelope) is { } content)
                {
                    parts.Add(new SecretPart((int)reader.TokenStartIndex, (int)reader.BytesConsumed, JsonLabel, content));
                }
            }

            isComplete = true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            isComplete = false;
        }

        return parts;
    }

    private static byte[]? Content(string text, bool isEnvelope)
    {
        if (!isEnvelope)
        {
            return Encoding.UTF8.GetBytes(text);
        }

        var content = new byte[text.Length];
        return Convert.TryFromBase64Chars(text.AsSpan(JsonPrefix.Length), content, out var written) ? content[..written] : null;
    }
}

/// <summary>A secret in a stored value.</summary>
/// <param name="Start">Where its text starts.</param>
/// <param name="End">Where its text ends.</param>
/// <param name="Label">The label of its PEM block; empty for a text in JSON.</param>
/// <param name="Content">The secret, or its envelope if it is encrypted.</param>
internal readonly record struct SecretPart(int Start, int End, string Label, ReadOnlyMemory<byte> Content)
{
    public override string ToString() => $"{Label} ({Content.Length} bytes)";
}

/// <summary>The form of a value with secrets.</summary>
internal enum SecretFormat
{
    /// <summary>PEM blocks; each value has a private key.</summary>
    Pem,

    /// <summary>JSON, which may have a secret.</summary>
    Json,
}

/// <summary>A folder of values with secrets.</summary>
internal readonly record struct SecretPlace(string Prefix, SecretFormat Format);
