using System.Buffers;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks the syntax of an e-mail address. Whether it is required or accepted is up to the CA.</summary>
internal static class EmailAddressRules
{
    private const int MaxLength = 254;

    // RFC 8555 section 7.3 allows one address per contact URL, and no header fields ("?").
    private static readonly SearchValues<char> NotInLocalPart = SearchValues.Create(" @,;?<>\"\\()");

    /// <summary>Returns the address, or <see langword="null"/> if there is none, or after a problem.</summary>
    public static string? Read(string? text, string key, ProblemList problems)
    {
        if (ScalarRules.NullIfEmpty(text) is not { } address)
        {
            return null;
        }

        if (address.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
        {
            problems.Add(key, address, "is a URL, not an e-mail address", $"Write '{address["mailto:".Length..]}'");
            return null;
        }

        if (!IsAddress(address))
        {
            problems.Add(key, address, "is not an e-mail address", "Write one address, such as 'admin@example.com'");
            return null;
        }

        return address;
    }

    private static bool IsAddress(string text)
    {
        var at = text.LastIndexOf('@');
        return text.Length <= MaxLength
            && at > 0
            && text.AsSpan(0, at).IndexOfAny(NotInLocalPart) < 0
            && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c))
            && DomainNameParser.Parse(text[(at + 1)..]) is { IsSuccess: true, Identifier: { Kind: IdentifierKind.Dns, IsWildcard: false } };
    }
}
