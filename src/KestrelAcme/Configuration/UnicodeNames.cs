using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace KestrelAcme.Configuration;

/// <summary>Converts names in Unicode to A-labels (RFC 5890).</summary>
internal static class UnicodeNames
{
    private static readonly IdnMapping Mapping = new() { AllowUnassigned = false, UseStd3AsciiRules = false };

    // Containers are often built without ICU (InvariantGlobalization). Conversion works there too, but normalization does nothing.
    private static readonly bool CanNormalize = "a\u0308".Normalize(NormalizationForm.FormC).Length == 1;

    /// <summary>Converts a name to A-labels in lower case; a name in ASCII stays as it is but for its case.</summary>
    public static bool TryToAscii(string name, [NotNullWhen(true)] out string? ascii, [NotNullWhen(false)] out string? why)
        => TryToAscii(name, CanNormalize, out ascii, out why);

    /// <summary>The same, told whether the machine can normalize Unicode.</summary>
    internal static bool TryToAscii(string name, bool canNormalize, [NotNullWhen(true)] out string? ascii, [NotNullWhen(false)] out string? why)
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

    /// <summary>Whether a character may have another spelling: combining marks, and the compatibility forms at the end of the plane.</summary>
    private static bool NeedsNormalization(char c)
        => c >= '\uF900' || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;
}
