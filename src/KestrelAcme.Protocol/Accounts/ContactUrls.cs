using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Accounts;

/// <summary>Makes contact URLs of what users write.</summary>
internal static class ContactUrls
{
    /// <summary>An e-mail address becomes a mailto URL (RFC 8555 section 7.3); a URL stays.</summary>
    public static IReadOnlyList<string> Normalize(IReadOnlyList<string> contacts)
    {
        ArgumentNullException.ThrowIfNull(contacts);
        return [.. contacts.Select(Normalize)];
    }

    private static string Normalize(string contact)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(contact);
        var text = contact.Trim();
        if (text.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) || !text.Contains('@', StringComparison.Ordinal) || text.Contains("://", StringComparison.Ordinal))
        {
            return Uri.TryCreate(text, UriKind.Absolute, out _) ? text : throw new ArgumentException($"\"{QuotedText.Of(contact, QuotedText.MaxNameLength)}\" is neither an e-mail address nor a URL.");
        }

        return "mailto:" + text;
    }
}
