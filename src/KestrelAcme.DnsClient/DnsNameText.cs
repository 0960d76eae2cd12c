using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.DnsClient;

/// <summary>Reads and writes names in presentation form (RFC 1035 section 5.1), with its escapes.</summary>
internal static class DnsNameText
{
    public static bool TryRead(string text, [NotNullWhen(true)] out byte[]? wire, [NotNullWhen(false)] out string? problem)
    {
        wire = null;
        problem = null;
        if (text == ".")
        {
            wire = [0];
            return true;
        }

        Span<byte> buffer = stackalloc byte[DnsName.MaximumLength];
        int labelStart = 0;
        int length = 1;
        for (int at = 0; at < text.Length && problem is null;)
        {
            if (text[at] == '.')
            {
                problem = EndLabel(buffer, ref labelStart, ref length);
                at++;
            }
            else if (!TryReadOctet(text, ref at, out byte octet))
            {
                problem = "it has a character outside ASCII or an invalid escape (international names must be A-labels, xn--…)";
            }
            else if (length >= buffer.Length - 1)
            {
                problem = $"it is longer than {DnsName.MaximumLength} octets";
            }
            else
            {
                buffer[length++] = octet;
            }
        }

        if (problem is null && (text.Length == 0 || length > labelStart + 1))
        {
            problem = EndLabel(buffer, ref labelStart, ref length);
        }

        problem = problem is null ? null : $"'{Quote(text)}' is not a domain name: {problem}.";
        // The octet reserved for the length of the next label becomes the final zero.
        buffer[labelStart] = 0;
        wire = problem is null ? buffer[..length].ToArray() : null;
        return problem is null;
    }

    public static string Write(ReadOnlySpan<byte> wire)
    {
        if (wire.Length == 1)
        {
            return ".";
        }

        var text = new StringBuilder(wire.Length);
        for (int at = 0; wire[at] != 0; at += wire[at] + 1)
        {
            if (at > 0)
            {
                text.Append('.');
            }

            foreach (byte octet in wire.Slice(at + 1, wire[at]))
            {
                AppendOctet(text, octet);
            }
        }

        return text.ToString();
    }

    private static string? EndLabel(Span<byte> buffer, ref int labelStart, ref int length)
    {
        int size = length - labelStart - 1;
        if (size is 0 or > DnsName.MaximumLabelLength)
        {
            return size == 0 ? "a label is empty" : $"a label is longer than {DnsName.MaximumLabelLength} octets";
        }

        buffer[labelStart] = (byte)size;
        labelStart = length++;
        return null;
    }

    private static bool TryReadOctet(string text, ref int at, out byte octet)
    {
        octet = (byte)text[at];
        if (text[at] != '\\')
        {
            return text[at++] is > ' ' and < '\x7f';
        }

        ReadOnlySpan<char> rest = text.AsSpan(at + 1);
        if (rest.Length >= 3 && char.IsAsciiDigit(rest[0]))
        {
            at += 4;
            return byte.TryParse(rest[..3], NumberStyles.None, CultureInfo.InvariantCulture, out octet);
        }

        at += 2;
        octet = rest.IsEmpty ? (byte)0 : (byte)rest[0];
        return !rest.IsEmpty && rest[0] is > ' ' and < '\x7f' && !char.IsAsciiDigit(rest[0]);
    }

    private static void AppendOctet(StringBuilder text, byte octet)
    {
        if (octet is <= (byte)' ' or >= 0x7f)
        {
            text.Append(CultureInfo.InvariantCulture, $"\\{octet:D3}");
            return;
        }

        if ((char)octet is '.' or '\\' or '"' or '(' or ')' or ';' or '@' or '$')
        {
            text.Append('\\');
        }

        text.Append((char)octet);
    }

    private static string Quote(string text) => QuotedText.Of(text, 80);
}
