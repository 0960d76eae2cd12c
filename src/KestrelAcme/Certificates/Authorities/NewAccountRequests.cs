using System.Buffers.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol.Accounts;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>What an authority is told when an account is created.</summary>
internal static class NewAccountRequests
{
    public static NewAccountRequest Create(AuthoritySpecification authority, bool termsAccepted) => new()
    {
        TermsOfServiceAgreed = termsAccepted,
        Contacts = authority.EmailAddress is { } address ? [$"mailto:{address}"] : [],
        ExternalAccountBinding = authority.ExternalAccountBinding is { } binding
            ? new Protocol.Accounts.ExternalAccountBinding(binding.KeyId, Base64Url.EncodeToString(binding.HmacKey.Span))
            : null,
    };
}
