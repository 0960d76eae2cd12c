using System.Globalization;
using System.Text;

namespace KestrelAcme.Azure.Api;

/// <summary>Makes the words of a service fit to be quoted: one line, bounded, no control characters. Pure.</summary>
internal static class QuotedText
{
    private const int MaxLength = 500;

    public static string Clean(string? text)
    {
        var clean = new StringBuilder();
        foreach (var c in (text ?? "").Trim())
        {
            if (clean.Length == MaxLength)
            {
                return clean.Append('…').ToString();
            }

            var shown = char.IsControl(c) || char.IsWhiteSpace(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format ? ' ' : c;
            if (shown != ' ' || (clean.Length > 0 && clean[^1] != ' '))
            {
                clean.Append(shown);
            }
        }

        return clean.ToString().TrimEnd();
    }
}
