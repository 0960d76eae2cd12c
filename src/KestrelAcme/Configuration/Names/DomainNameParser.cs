using System.Buffers;

namespace KestrelAcme.Configuration.Names;

/// <summary>Reads a domain name or an IP address as people write it. Pure: no network, no clock.</summary>
internal static class DomainNameParser
{
    private const int MaxNameLength = 253;
    private const int MaxLabelLength = 63;

    private static readonly SearchValues<char> Separators = SearchValues.Create(" \t\r\n,;");
    private static readonly SearchValues<char> PathSigns = SearchValues.Create("/\\?#");

    /// <summary>Reads one name: A-labels in lower case without trailing dot, <c>*.</c> allowed in front; or an IP address, IPv6 with or without brackets.</summary>
    public static NameResult Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return NameResult.Failure("is empty", "Write a domain name, or remove the entry");
        }

        if (NotAName(text) is { } notAName)
        {
            return notAName;
        }

        return IpAddressParser.TryParse(text, out var address) ? NameResult.Success(IdentifierKind.Ip, address.ToString())
            : text.Contains(':') ? WithPort(text)
            : ParseName(text);
    }

    /// <summary>What is plainly something else: a URL, a list, an e-mail address.</summary>
    private static NameResult? NotAName(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
        {
            var host = Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) ? url.IdnHost : "";
            return NameResult.Failure("is a URL, not a domain name", Suggest(host));
        }

        return text.AsSpan().IndexOfAny(PathSigns) is var at and >= 0 ? NameResult.Failure("has a path", Suggest(text[..at]))
            : text.AsSpan().Trim().IndexOfAny(Separators) >= 0 ? NameResult.Failure("is not one name", "Write each name as an element of its own")
            : HasSpace(text) ? NameResult.Failure("contains a space", Suggest(string.Concat(text.Where(c => !char.IsWhiteSpace(c)))))
            : text.Contains('@') ? NameResult.Failure("is an e-mail address, not a domain name", Suggest(text[(text.LastIndexOf('@') + 1)..]))
            : null;
    }

    private static NameResult WithPort(string text)
    {
        var host = text[..text.LastIndexOf(':')];
        return host.Contains(':') && !host.StartsWith('[')
            ? NameResult.Failure("is not an IP address", "Write an IPv6 address such as '2001:db8::1'")
            : NameResult.Failure("has a port", Suggest(host));
    }

    private static NameResult ParseName(string text)
    {
        var wildcard = text.StartsWith("*.", StringComparison.Ordinal);
        var name = wildcard ? text[2..] : text;
        if (name.Contains('*'))
        {
            return NameResult.Failure("has a '*' that is not the whole first label", "Write '*.' and a domain name, such as '*.example.com'");
        }

        if (!UnicodeNames.TryToAscii(name, out var ascii, out var why))
        {
            var unquoted = UnicodeNames.WithoutQuotes(text);
            return NameResult.Failure(why, unquoted == text ? "Write the name as A-labels, such as 'xn--bcher-kva.example'" : Suggest(unquoted));
        }

        // One trailing dot says that the name is absolute, which it is anyway.
        ascii = ascii.EndsWith('.') ? ascii[..^1] : ascii;
        if (WhyNotAHostName(ascii) is { } bad)
        {
            return bad;
        }

        // Most names come as they should be: of a hundred thousand, no second copy is made.
        var good = wildcard ? "*." + ascii : ascii;
        return NameResult.Success(IdentifierKind.Dns, good == text ? text : good);
    }

    private static bool HasSpace(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c))
            {
                return true;
            }
        }

        return false;
    }

    private static NameResult? WhyNotAHostName(string name)
    {
        if (name.Length > MaxNameLength)
        {
            return NameResult.Failure($"is longer than {MaxNameLength} characters", "Write a shorter name");
        }

        var last = ReadOnlySpan<char>.Empty;
        foreach (var range in name.AsSpan().Split('.'))
        {
            last = name.AsSpan()[range];
            if (WhyNotALabel(last) is { } bad)
            {
                return bad;
            }
        }

        // No top-level domain is a number; a name that ends in one is a mistyped address.
        return last.ContainsAnyExceptInRange('0', '9')
            ? null
            : NameResult.Failure("is neither a domain name nor an IP address", "Write an IPv4 address such as '192.0.2.1', or a domain name");
    }

    private static NameResult? WhyNotALabel(ReadOnlySpan<char> label)
    {
        if (label.IsEmpty)
        {
            return NameResult.Failure("has an empty label", "Write single dots, and none in front");
        }

        if (label.Length > MaxLabelLength)
        {
            return NameResult.Failure($"has a label longer than {MaxLabelLength} characters", "Write a shorter name");
        }

        foreach (var c in label)
        {
            if (c == '_')
            {
                return NameResult.Failure("has an underscore, which no certificate may name", "Write the name of a host: letters, digits, hyphens and dots");
            }

            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return NameResult.Failure($"has a character that no domain name may have, U+{(int)c:X4}", "Write letters, digits, hyphens and dots");
            }
        }

        return label[0] == '-' || label[^1] == '-' ? NameResult.Failure("has a label that begins or ends with a hyphen", "Write the name without it") : null;
    }

    /// <summary>A fix that names the corrected value, where that is good itself.</summary>
    private static string Suggest(string candidate)
        => candidate.Length > 0 && candidate.IndexOfAny([':', '/', '@', ' ']) < 0 && ParseName(candidate) is { IsSuccess: true, Identifier: var good }
            ? $"Write '{good.Value}'"
            : "Write the domain name alone";
}
