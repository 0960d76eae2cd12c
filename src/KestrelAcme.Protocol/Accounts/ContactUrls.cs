using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>Converts configured contacts to contact URLs.</summary>
internal static class ContactUrls
{
    /// <summary>Turns e-mail addresses into mailto URLs (RFC 8555 section 7.3) and keeps URLs.</summary>
    public static IReadOnlyList<string> Normalize(IReadOnlyList<string> contacts)
    {
        ArgumentNullException.ThrowIfNull(contacts);
        return [.. contacts.Select(Normalize)];
    }

    private static string Normalize(string contact)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(contact);
        var text = contact.Trim();
        if (text.Contains('@', StringComparison.Ordinal)
            && !text.Contains("://", StringComparison.Ordinal)
            && !text.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase))
        {
            return "mailto:" + text;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out _)
            ? text
            : throw new ArgumentException(
                $"\"{QuotedText.Of(contact, QuotedText.MaxNameLength)}\" is neither an e-mail address nor a URL.");
    }
}
