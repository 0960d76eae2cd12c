using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Advises operators if a CA refuses the account or the profile. Pure.</summary>
internal static class AccountAdvice
{
    private const string TryAgain = "KestrelAcme tries again with growing pauses, after a restart, and when the configuration changes.";

    /// <summary>Returns the advice if the account is refused as a whole.</summary>
    /// <param name="words">The CA's words.</param>
    /// <param name="problemType">The type of the problem (RFC 8555 section 6.7).</param>
    /// <param name="authority">The CA.</param>
    /// <param name="isRegistered">Whether the account was registered before.</param>
    public static string OfAccount(string words, string? problemType, AuthoritySpecification authority, bool isRegistered)
        => $"{Sentence(words)} The account at {authority.DisplayName} is refused for all names. " +
            $"{Fix(problemType, authority, isRegistered)} {TryAgain}";

    /// <summary>Returns the advice if a profile is refused.</summary>
    /// <param name="words">The CA's words.</param>
    /// <param name="profile">The profile; empty for none.</param>
    /// <param name="authority">The CA.</param>
    /// <param name="offered">The profiles in the CA's directory.</param>
    public static string OfProfile(string words, string profile, AuthoritySpecification authority, IEnumerable<string> offered)
    {
        var names = offered.Order(StringComparer.Ordinal).ToList();
        var offers = names.Count == 0
            ? $"The directory of {authority.DisplayName} lists no profiles"
            : $"The directory of {authority.DisplayName} lists the profiles {string.Join(", ", names.Select(n => $"'{n}'"))}";
        var fix = profile.Length == 0
            ? "set AcmeHttps:Profile to a profile that this account may use"
            : $"set AcmeHttps:Profile (or the Profile of the CA or of the certificate), which is '{profile}', to a profile that this " +
                "account may use, or remove it";
        return $"{Sentence(words)} {offers}: {fix}. {TryAgain}";
    }

    /// <summary>Returns the advice about a problem of the account; <see langword="null"/> for other problems.</summary>
    public static string? ForProblem(string? problemType) => problemType switch
    {
        AcmeProblemTypes.ExternalAccountRequired
            => "This CA requires an external account binding: set AcmeHttps:ExternalAccountBinding:KeyId and HmacKey to the values " +
                "that the CA gave you.",
        AcmeProblemTypes.InvalidContact or AcmeProblemTypes.UnsupportedContact
            => "Set AcmeHttps:EmailAddress to an address that the CA accepts.",
        AcmeProblemTypes.UserActionRequired
            => "The CA requires you to act, most often to agree to new terms of service: follow its instructions, then set " +
                "AcmeHttps:AcceptTermsOfService.",
        _ => null,
    };

    private static string Fix(string? problemType, AuthoritySpecification authority, bool isRegistered)
        => ForProblem(problemType) ?? (isRegistered
            ? "A deactivated account cannot be reactivated (RFC 8555 section 7.3.6): ask the CA, or delete " +
                $"'accounts/{authority.Id}.pem' from the store, so that KestrelAcme registers a new account with a new key. Then update " +
                "CAA and dns-persist-01 records that name the old account."
            : authority.ExternalAccountBinding is not null
                ? "Check that AcmeHttps:ExternalAccountBinding:KeyId and HmacKey are the complete values that the CA gave you, and that " +
                    "they are still valid."
                : "Check AcmeHttps:EmailAddress and AcmeHttps:AcceptTermsOfService, and whether the CA closed the account.");

    private static string Sentence(string message) => message[^1] is '.' or '!' or '?' ? message : message + ".";
}
