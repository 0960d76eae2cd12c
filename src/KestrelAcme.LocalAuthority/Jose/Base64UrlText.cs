using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>base64url without padding, as RFC 7515 section 2 and RFC 8555 section 6.1 ask for: nothing else is read.</summary>
internal static class Base64UrlText
{
    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);

    public static bool TryDecode(string? text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text is null || text.Length % 4 == 1)
        {
            return false;
        }

        // The framework's reader lets padding and white space pass; RFC 8555 tells servers to reject them.
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }

        try
        {
            bytes = Base64Url.DecodeFromChars(text);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
