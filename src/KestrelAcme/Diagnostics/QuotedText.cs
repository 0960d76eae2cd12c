using System.Globalization;
using System.Text;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The one rule for text from outside that a log, an exception or a status quotes: what a CA, a DNS answer, a program, a file, a request or the configuration says.
/// The result is one line, bounded, and printable: nothing in it moves the cursor, turns the writing direction, hides, or looks like a line of the log.
/// </summary>
/// <remarks>Quoting twice changes nothing. Compiled into each product that quotes, so that there is one rule and no arrow between them.</remarks>
internal static class QuotedText
{
    /// <summary>The longest text that is shown where nothing else is said.</summary>
    public const int MaxLength = 8000;

    /// <summary>The longest reply of a program or a service that is shown.</summary>
    public const int MaxReplyLength = 500;

    /// <summary>The longest name, address or key that is shown: longer than any that is valid needs.</summary>
    public const int MaxNameLength = 300;

    /// <summary>The text as it is, with everything that is not plainly printable escaped as <c>\u000a</c>.</summary>
    public static string Of(string? text, int maxLength = MaxLength) => string.IsNullOrEmpty(text) || IsPlain(text, maxLength) ? text ?? "" : Escape(text, maxLength);

    /// <summary>Sentences: white space and line breaks become one space each, and the rest is treated as by <see cref="Of(string?, int)"/>.</summary>
    public static string Words(string? text, int maxLength = MaxLength)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "";
        }

        // What cannot be shown in the end is not copied first: an answer may be a megabyte.
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

    /// <summary>The URL in its escaped form: <see cref="Uri.ToString"/> undoes escapes.</summary>
    public static string Of(Uri? url) => url is null ? "" : Of(url.IsAbsoluteUri ? url.AbsoluteUri : url.OriginalString, 2000);

    /// <summary>Whether a text is shown as it is.</summary>
    public static bool IsPlain(ReadOnlySpan<char> text, int maxLength = MaxLength) => text.Length <= maxLength && !text.ContainsAnyExceptInRange(' ', '~');

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
        // Letters and marks that no font shows, which make two names look like one.
        0x034F or 0x115F or 0x1160 or 0x17B4 or 0x17B5 or 0x2800 or 0x3164 or 0xFFA0 => false,
        >= 0x180B and <= 0x180F => false,
        >= 0xFE00 and <= 0xFE0F => false,
        >= 0xE0000 and <= 0xE0FFF => false,
        ' ' => true,
        _ => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned),
    };
}
