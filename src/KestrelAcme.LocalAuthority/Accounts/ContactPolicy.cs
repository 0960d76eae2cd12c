using System.Net.Mail;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Accounts;

/// <summary>Checks the contacts of an account (RFC 8555 section 7.3). Stateless.</summary>
internal static class ContactPolicy
{
    private const int MostContacts = 10;
    private const string Scheme = "mailto:";

    public static void Check(IReadOnlyList<string> contacts)
    {
        if (contacts.Count > MostContacts)
        {
            throw Problem.Of("invalidContact", 400, $"At most {MostContacts} contacts are accepted.").ToException();
        }

        foreach (var contact in contacts)
        {
            if (contact is null || !contact.StartsWith(Scheme, StringComparison.Ordinal))
            {
                throw Problem.Of("unsupportedContact", 400, $"The contact '{contact}' is not a mailto URL.").ToException();
            }

            // RFC 8555: no header fields ("?subject="), and only one address.
            var address = contact[Scheme.Length..];
            if (address.Contains('?', StringComparison.Ordinal)
                || address.Contains(',', StringComparison.Ordinal)
                || !MailAddress.TryCreate(address, out var parsed)
                || parsed.Address != address)
            {
                throw Problem.Of("invalidContact", 400, $"The contact '{contact}' is not one plain e-mail address.").ToException();
            }
        }
    }
}
