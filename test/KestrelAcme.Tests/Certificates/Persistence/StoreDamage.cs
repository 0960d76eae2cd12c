using System.Text;
using System.Text.RegularExpressions;

namespace KestrelAcme.Tests.Certificates.Persistence;

/// <summary>The damage that editors, scripts, synchronization and power cuts do to a stored value.</summary>
internal static partial class StoreDamage
{
    /// <summary>Damage that leaves the PEM blocks of a value intact.</summary>
    public static IReadOnlyList<string> Bookkeeping { get; } =
    [
        "bom", "brace", "crlf", "utf16", "utf16-big-endian", "append", "no-metadata", "cut-metadata", "no-braces", "empty-object",
        "prefix-gone", "nulls", "wrong-types", "indented",
    ];

    public static byte[] Apply(string kind, byte[] value)
    {
        var text = Encoding.UTF8.GetString(value);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var (first, rest) = end < 0 ? (text, "") : (text[..end], text[end..]);
        return kind switch
        {
            "nul" => new byte[value.Length],
            "empty" => [],
            "half" => value[..(value.Length / 2)],
            "bom" => [.. Encoding.UTF8.Preamble, .. value],
            "utf16" => [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(text)],
            "utf16-big-endian" => Encoding.BigEndianUnicode.GetBytes(text),
            _ => Encoding.UTF8.GetBytes(kind switch
            {
                "brace" => first + "}" + rest,
                "crlf" => text.ReplaceLineEndings("\r\n"),
                "append" => text + "tail of an older, longer file }\n",
                "no-metadata" => rest[1..],
                "cut-metadata" => first[..(first.Length / 2)] + rest,
                "no-braces" => first.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal) + rest,
                "empty-object" => "KestrelAcme-Metadata: {}" + rest,
                "prefix-gone" => first[(first.IndexOf('{', StringComparison.Ordinal) is var at and >= 0 ? at : 0)..] + rest,
                "nulls" => Quoted().Replace(first, ":null") + rest,
                "wrong-types" => Quoted().Replace(first, ":[7]") + rest,
                "indented" => first.Replace(",", ",\n  ", StringComparison.Ordinal) + rest,
                _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Unknown damage."),
            }),
        };
    }

    [GeneratedRegex(":\"[^\"]*\"")]
    private static partial Regex Quoted();
}
