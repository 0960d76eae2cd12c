using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Configuration.Names;

/// <summary>Parses a domain name or an IP address as people write it. Pure: no network, no clock.</summary>
internal static class DomainNameParser
{
    private const int MaxNameLength = 253;
    private const int MaxLabelLength = 63;

    private static readonly SearchValues<char> Separators = SearchValues.Create(" \t\r\n,;");
    private static readonly SearchValues<char> PathSigns = SearchValues.Create("/\\?#");

    /// <summary>
    /// Parses one domain name, which may be in Unicode, end in a dot and begin with <c>*.</c>; or one IP address, IPv6 with or without
    /// brackets.
    /// </summary>
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

    /// <summary>Returns a failure for a text that is clearly something else, such as a URL, a list or an e-mail address.</summary>
    private static NameResult? NotAName(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
        {
            var host = Uri.TryCreate(text.Trim(), UriKind.Absolute, out var url) ? url.IdnHost : "";
            return NameResult.Failure("is a URL, not a domain name", Suggest(host));
        }

        return text.AsSpan().IndexOfAny(PathSigns) is var at and >= 0
                ? NameResult.Failure("has a path", Suggest(text[..at]))
            : text.AsSpan().Trim().IndexOfAny(Separators) >= 0
                ? NameResult.Failure("is more than one name", "Write each name as a separate element")
            : HasSpace(text)
                ? NameResult.Failure("contains a space", Suggest(string.Concat(text.Where(c => !char.IsWhiteSpace(c)))))
            : text.Contains('@')
                ? NameResult.Failure("is an e-mail address, not a domain name", Suggest(text[(text.LastIndexOf('@') + 1)..]))
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
            return NameResult.Failure(
                "has a '*' that is not the whole first label", "Write '*.' in front of a domain name: '*.example.com'");
        }

        if (!UnicodeNames.TryToAscii(name, out var ascii, out var why))
        {
            var unquoted = UnicodeNames.WithoutQuotes(text);
            const string fix = "Write the name as A-labels, such as 'xn--bcher-kva.example'";
            return NameResult.Failure(why, unquoted == text ? fix : Suggest(unquoted));
        }

        // A trailing dot marks an absolute name. Names are absolute here anyway.
        ascii = ascii.EndsWith('.') ? ascii[..^1] : ascii;
        if (WhyNotAHostName(ascii) is { } bad)
        {
            return bad;
        }

        // Most names are in the normal form already: keep the caller's string instead of a second copy of a hundred thousand names.
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

        // No top-level domain is a number. A name that ends in a number is a mistyped address.
        return last.ContainsAnyExceptInRange('0', '9')
            ? null
            : NameResult.Failure(
                "is neither a domain name nor an IP address",
                "Write an IPv4 address such as '192.0.2.1', or a domain name");
    }

    private static NameResult? WhyNotALabel(ReadOnlySpan<char> label)
    {
        if (label.IsEmpty)
        {
            return NameResult.Failure("has an empty label", "Write single dots, and no dot in front");
        }

        if (label.Length > MaxLabelLength)
        {
            return NameResult.Failure($"has a label longer than {MaxLabelLength} characters", "Write a shorter name");
        }

        foreach (var c in label)
        {
            if (c == '_')
            {
                return NameResult.Failure(
                    "has an underscore, which certificates do not allow",
                    "Write a host name: letters, digits, hyphens and dots");
            }

            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                return NameResult.Failure(
                    $"has a character that domain names do not allow, U+{(int)c:X4}",
                    "Write letters, digits, hyphens and dots");
            }
        }

        return label[0] == '-' || label[^1] == '-'
            ? NameResult.Failure("has a label that begins or ends with a hyphen", "Write the name without it")
            : null;
    }

    /// <summary>Returns a fix with the corrected value, if the corrected value is valid.</summary>
    private static string Suggest(string candidate)
        => candidate.Length > 0 && candidate.IndexOfAny([':', '/', '@', ' ']) < 0
            && ParseName(candidate) is { IsSuccess: true, Identifier: var good }
                ? $"Write '{good.Value}'"
                : "Write only the domain name";
}

/// <summary>The result of parsing a name: an identifier, or the reason for the failure and the fix.</summary>
internal sealed record NameResult
{
    private NameResult(CertificateIdentifier? identifier, string? reason, string? fix)
    {
        Identifier = identifier;
        Reason = reason;
        Fix = fix;
    }

    /// <summary>The identifier, if the name is valid.</summary>
    public CertificateIdentifier? Identifier { get; }

    /// <summary>The reason for the failure, as a continuation of the name: "is a URL, not a domain name".</summary>
    public string? Reason { get; }

    /// <summary>The fix, a sentence without the period.</summary>
    public string? Fix { get; }

    /// <summary>Whether the name is valid.</summary>
    [MemberNotNullWhen(true, nameof(Identifier))]
    [MemberNotNullWhen(false, nameof(Reason), nameof(Fix))]
    public bool IsSuccess => Identifier is not null;

    /// <summary>Returns a valid name.</summary>
    public static NameResult Success(IdentifierKind kind, string value) => new(new CertificateIdentifier(kind, value), null, null);

    /// <summary>Returns a failure.</summary>
    public static NameResult Failure(string reason, string fix) => new(null, reason, fix);
}

/// <summary>
/// Parses IP addresses strictly. <see cref="IPAddress.TryParse(string, out IPAddress)"/> also accepts <c>1</c>, <c>010.0.0.1</c>,
/// <c>0x7f.1</c> and <c>[::1]:443</c>.
/// </summary>
internal static class IpAddressParser
{
    /// <summary>
    /// Parses a dotted-quad IPv4 address, or an IPv6 address without a scope, with or without brackets. An IPv4-mapped IPv6 address becomes
    /// an IPv4 address.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        var bracketed = text.Length > 2 && text[0] == '[' && text[^1] == ']';
        var bare = bracketed ? text[1..^1] : text;
        if (bare.AsSpan().IndexOfAny("[]%") >= 0 || !IPAddress.TryParse(bare, out var parsed))
        {
            return false;
        }

        if (parsed.AddressFamily == AddressFamily.InterNetwork && (bracketed || parsed.ToString() != bare))
        {
            return false;
        }

        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        return true;
    }
}
