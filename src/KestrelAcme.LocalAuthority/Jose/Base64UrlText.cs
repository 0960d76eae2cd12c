using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>base64url without padding, as required by RFC 7515 section 2 and RFC 8555 section 6.1; everything else is rejected.</summary>
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

        // .NET's decoder accepts padding and white space; RFC 8555 requires servers to reject them.
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
