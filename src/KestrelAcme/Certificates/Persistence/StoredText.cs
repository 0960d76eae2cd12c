using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Undoes changes that editors, copy tools and scripts make around a text: another encoding, a byte order mark, text after the end. Pure.
/// </summary>
internal static class StoredText
{
    /// <summary>Returns the text in UTF-8 without a byte order mark.</summary>
    public static ReadOnlySpan<byte> Normalize(ReadOnlySpan<byte> value)
    {
        if (value.StartsWith(Encoding.UTF8.Preamble))
        {
            return value[Encoding.UTF8.Preamble.Length..];
        }

        return IsUtf16(value, bigEndian: false) ? Encoding.UTF8.GetBytes(Encoding.Unicode.GetString(value).TrimStart('\uFEFF'))
            : IsUtf16(value, bigEndian: true) ? Encoding.UTF8.GetBytes(Encoding.BigEndianUnicode.GetString(value).TrimStart('\uFEFF'))
            : value;
    }

    /// <summary>
    /// Returns the first object of a JSON text, without anything before or after it; empty if there is no complete object.
    /// </summary>
    public static ReadOnlySpan<byte> FirstObject(ReadOnlySpan<byte> json)
    {
        var start = json.IndexOf((byte)'{');
        if (start < 0)
        {
            return default;
        }

        try
        {
            var reader = new Utf8JsonReader(json[start..], isFinalBlock: false, state: default);
            return reader.Read() && reader.TrySkip() ? json.Slice(start, (int)reader.BytesConsumed) : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }

    // Recognized by the byte order mark or, if that was lost, by the first two characters: everything that KestrelAcme stores begins with
    // ASCII.
    private static bool IsUtf16(ReadOnlySpan<byte> value, bool bigEndian)
    {
        if (value.Length < 4)
        {
            return false;
        }

        var (first, second) = bigEndian
            ? (BinaryPrimitives.ReadUInt16BigEndian(value), BinaryPrimitives.ReadUInt16BigEndian(value[2..]))
            : (BinaryPrimitives.ReadUInt16LittleEndian(value), BinaryPrimitives.ReadUInt16LittleEndian(value[2..]));
        return first == 0xFEFF || (first is > 0 and < 0x80 && second is > 0 and < 0x80);
    }
}
