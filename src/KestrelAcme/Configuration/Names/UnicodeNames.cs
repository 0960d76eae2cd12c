using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace KestrelAcme.Configuration.Names;

/// <summary>Converts names in Unicode to A-labels (RFC 5890).</summary>
internal static class UnicodeNames
{
    private static readonly IdnMapping Mapping = new() { AllowUnassigned = false, UseStd3AsciiRules = false };

    // Containers often lack ICU (InvariantGlobalization). Conversion works there too, but normalization does nothing.
    private static readonly bool CanNormalize = "a\u0308".Normalize(NormalizationForm.FormC).Length == 1;

    /// <summary>Converts a name to A-labels in lower case. For an ASCII name, only the case changes.</summary>
    public static bool TryToAscii(string name, [NotNullWhen(true)] out string? ascii, [NotNullWhen(false)] out string? why)
        => TryToAscii(name, CanNormalize, out ascii, out why);

    /// <summary>Like the other overload; <paramref name="canNormalize"/> says whether the machine can normalize Unicode.</summary>
    internal static bool TryToAscii(
        string name, bool canNormalize, [NotNullWhen(true)] out string? ascii, [NotNullWhen(false)] out string? why)
    {
        (ascii, why) = (null, null);
        if (Ascii.IsValid(name))
        {
            ascii = name.ToLowerInvariant();
            return true;
        }

        if (!canNormalize && name.Any(NeedsNormalization))
        {
            why = "needs Unicode normalization, which this machine lacks (InvariantGlobalization, no ICU)";
            return false;
        }

        if (FindDisallowed(name, canNormalize) is { } disallowed)
        {
            why = $"has a character that domain names do not allow, U+{disallowed:X4}{(IsQuote(disallowed) ? " (a quotation mark)" : "")}";
            return false;
        }

        try
        {
            ascii = Mapping.GetAscii(name.ToLowerInvariant()).ToLowerInvariant();
            return true;
        }
        catch (ArgumentException)
        {
            why = "is not a valid internationalized domain name";
            return false;
        }
    }

    /// <summary>Whether a label is the A-label of a Unicode label that can be registered (RFC 5890 section 2.3.2.1).</summary>
    public static bool IsALabel(string label)
    {
        if (!label.StartsWith("xn--", StringComparison.Ordinal))
        {
            return false;
        }

        try
        {
            var unicode = Mapping.GetUnicode(label);
            return !Ascii.IsValid(unicode)
                && unicode.IsNormalized(NormalizationForm.FormC)
                && FindDisallowed(unicode, CanNormalize) is null
                && Mapping.GetAscii(unicode) == label;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>Returns the name without quotation marks, for a fix.</summary>
    public static string WithoutQuotes(string name) => string.Concat(name.Where(c => !IsQuote(c)));

    // IDNA2008 (RFC 5892 section 2): letters, digits and marks, with a few exceptions. Registries and CAs reject the symbols of IDNA2003.
    private static int? FindDisallowed(string name, bool canNormalize)
    {
        // Compatibility forms, such as wide letters, are mapped first.
        string mapped;
        try
        {
            mapped = canNormalize ? name.ToLowerInvariant().Normalize(NormalizationForm.FormKC) : name.ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }

        foreach (var rune in mapped.EnumerateRunes())
        {
            // Half a surrogate pair is not a character: the mapping fails on it with a reason of its own.
            if (!rune.IsAscii && rune != Rune.ReplacementChar && !IsAllowed(rune))
            {
                return rune.Value;
            }
        }

        return null;
    }

    private static bool IsAllowed(Rune rune) => rune.Value switch
    {
        0x3002 or 0xFF0E or 0xFF61 => true, // Full stops that count as dots.
        0x00B7 or 0x0375 or 0x05F3 or 0x05F4 or 0x30FB or 0x200C or 0x200D or 0x06FD or 0x06FE or 0x0F0B or 0x3007 => true,
        0x0640 or 0x07FA or 0x302E or 0x302F or 0x303B or (>= 0x3031 and <= 0x3035) => false,
        _ => Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber,
    };

    private static bool IsQuote(int c)
        => c is '"' or '\'' or '`' or 0xAB or 0xBB or (>= 0x2018 and <= 0x201F) or 0x2039 or 0x203A or 0x300C or 0x300D;

    /// <summary>
    /// Whether a character can have another encoding: combining marks, and the compatibility forms at the end of the plane.
    /// </summary>
    private static bool NeedsNormalization(char c)
        => c >= '\uF900' || char.GetUnicodeCategory(c)
            is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
