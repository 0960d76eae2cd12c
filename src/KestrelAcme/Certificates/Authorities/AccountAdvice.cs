using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Says what an operator can do if an authority refuses the account or the profile. Pure.</summary>
internal static class AccountAdvice
{
    private const string TryAgain = "It is tried again by itself at growing pauses, after a restart, and when the configuration changes.";

    /// <summary>The advice if the account is refused as a whole.</summary>
    /// <param name="words">What the authority says.</param>
    /// <param name="problemType">The problem's type.</param>
    /// <param name="authority">The authority.</param>
    /// <param name="isRegistered">Whether the account was registered before.</param>
    public static string OfAccount(string words, string? problemType, AuthoritySpecification authority, bool isRegistered)
        => $"{Sentence(words)} The account at {authority.DisplayName} is refused, for all names alike. {Fix(problemType, authority, isRegistered)} {TryAgain}";

    /// <summary>The advice if a profile is refused.</summary>
    /// <param name="words">What the authority says.</param>
    /// <param name="profile">The profile; empty for none.</param>
    /// <param name="authority">The authority.</param>
    /// <param name="offered">The profiles that its directory lists.</param>
    public static string OfProfile(string words, string profile, AuthoritySpecification authority, IEnumerable<string> offered)
    {
        var names = offered.Order(StringComparer.Ordinal).ToList();
        var offers = names.Count == 0
            ? $"The directory of {authority.DisplayName} lists no profiles"
            : $"The directory of {authority.DisplayName} lists the profiles {string.Join(", ", names.Select(n => $"'{n}'"))}";
        var fix = profile.Length == 0
            ? "set AcmeHttps:Profile to one that this account may use"
            : $"set AcmeHttps:Profile (or that of the authority, or of the certificate), which is '{profile}', to one that this account may use, or leave it out";
        return $"{Sentence(words)} {offers}: {fix}. {TryAgain}";
    }

    private static string Fix(string? problemType, AuthoritySpecification authority, bool isRegistered) => problemType switch
    {
        AcmeProblemTypes.ExternalAccountRequired
            => "This authority wants an account bound to a customer account: set AcmeHttps:ExternalAccountBinding:KeyId and HmacKey to what it gave you.",
        AcmeProblemTypes.InvalidContact or AcmeProblemTypes.UnsupportedContact => "Set AcmeHttps:EmailAddress to an address that the authority accepts.",
        AcmeProblemTypes.UserActionRequired
            => "The authority wants a person to act, most often to agree to new terms: follow what it says, then set AcmeHttps:AcceptTermsOfService.",
        _ when isRegistered
            => $"An account that was deactivated stays so (RFC 8555 section 7.3.6): ask the authority, or delete 'accounts/{authority.Id}.pem' from the store to have a new account "
                + "with a new key registered. CAA and dns-persist-01 records that name the old account have to name the new one then.",
        _ when authority.ExternalAccountBinding is not null
            => "Check that AcmeHttps:ExternalAccountBinding:KeyId and HmacKey are what the authority gave you, whole and not used up.",
        _ => "Check AcmeHttps:EmailAddress and AcmeHttps:AcceptTermsOfService, and whether the authority closed the account.",
    };

    private static string Sentence(string message) => message[^1] is '.' or '!' or '?' ? message : message + ".";
}
