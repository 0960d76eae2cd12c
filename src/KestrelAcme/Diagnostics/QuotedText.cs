using System.Globalization;
using System.Text;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// Quotes text from outside (a CA, a DNS response, a program, a file, a request, the configuration) for logs, exceptions and statuses. The
/// result is a single line, limited in length, and printable: it cannot move the cursor, change the text direction, hide characters, or
/// imitate a line of the log.
/// </summary>
/// <remarks>
/// Quoting is idempotent. The file is compiled into each product that quotes, so that all use the same rule without referencing each other.
/// </remarks>
internal static class QuotedText
{
    /// <summary>The default maximum length.</summary>
    public const int MaxLength = 8000;

    /// <summary>The maximum length of a response from a program or a service.</summary>
    public const int MaxReplyLength = 500;

    /// <summary>The maximum length of a name, address or key. Valid ones are shorter.</summary>
    public const int MaxNameLength = 300;

    /// <summary>Returns the text with all characters escaped that are not printable, such as <c>\u000a</c> for a line break.</summary>
    public static string Of(string? text, int maxLength = MaxLength)
        => string.IsNullOrEmpty(text) || IsPlain(text, maxLength) ? text ?? "" : Escape(text, maxLength);

    /// <summary>
    /// Quotes prose: runs of white space and line breaks become a space, the rest is quoted by <see cref="Of(string?, int)"/>.
    /// </summary>
    public static string Words(string? text, int maxLength = MaxLength)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "";
        }

        // Copies only what can be shown: a response may be a megabyte.
        var words = new StringBuilder(Math.Min(text.Length, maxLength + 1));
        foreach (var c in text.AsSpan().Trim())
        {
            if (words.Length > maxLength)
            {
                break;
            }

            if (!char.IsWhiteSpace(c))
            {
                words.Append(c);
            }
            else if (words[^1] != ' ')
            {
                words.Append(' ');
            }
        }

        return Of(words.ToString(), maxLength);
    }

    /// <summary>Returns the URL in its escaped form, since <see cref="Uri.ToString"/> unescapes it.</summary>
    public static string Of(Uri? url) => url is null ? "" : Of(url.IsAbsoluteUri ? url.AbsoluteUri : url.OriginalString, 2000);

    /// <summary>Whether a text needs no quoting.</summary>
    public static bool IsPlain(ReadOnlySpan<char> text, int maxLength = MaxLength)
        => text.Length <= maxLength && !text.ContainsAnyExceptInRange(' ', '~');

    private static string Escape(string text, int maxLength)
    {
        var quoted = new StringBuilder(Math.Min(text.Length, maxLength) + 16);
        var at = 0;
        while (at < text.Length)
        {
            var isWhole = Rune.TryGetRuneAt(text, at, out var rune);
            var length = isWhole ? rune.Utf16SequenceLength : 1;
            var shown = isWhole && IsPrintable(rune);
            if (quoted.Length + (shown ? length : length * 6) > maxLength)
            {
                return quoted.Append('…').ToString();
            }

            for (var i = at; i < at + length; i++)
            {
                _ = shown ? quoted.Append(text[i]) : quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            }

            at += length;
        }

        return quoted.ToString();
    }

    private static bool IsPrintable(Rune rune) => rune.Value switch
    {
        // Letters and marks that fonts do not show, so that two different names look the same.
        0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x2800 or 0x3164 or 0xFFA0 => false,
        >= 0x180B and <= 0x180F => false,
        >= 0xFE00 and <= 0xFE0F => false,
        >= 0xE0000 and <= 0xE0FFF => false,
        ' ' => true,
        _ => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned),
    };
}
