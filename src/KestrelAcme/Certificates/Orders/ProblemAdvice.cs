using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Orders;

/// <summary>What an operator can do about a problem that an authority reports. Pure.</summary>
internal static class ProblemAdvice
{
    /// <returns>A sentence, or <see langword="null"/> when the authority's own words say it all.</returns>
    public static string? For(string? problemType) => problemType switch
    {
        AcmeProblemTypes.Caa => "A CAA record forbids this authority: add one that allows it (example.com. CAA 0 issue \"<the authority's domain>\"), or remove the one that does not.",
        AcmeProblemTypes.Connection => "The authority could not connect: check that the name's A and AAAA records lead here and that port 80 (http-01) or 443 (tls-alpn-01) is open from the Internet.",
        AcmeProblemTypes.Dns => "The authority could not look the name up: check that it has A or AAAA records, and that its name servers answer.",
        AcmeProblemTypes.Unauthorized or AcmeProblemTypes.IncorrectResponse => "Somebody else answered, or a proxy in between did: check that the name's A and AAAA records all lead here, and that /.well-known/acme-challenge/ is passed through.",
        AcmeProblemTypes.Tls => "The TLS handshake of the validation failed: check that port 443 of the name leads straight here, with nothing in between that ends TLS.",
        AcmeProblemTypes.ExternalAccountRequired => "This authority wants an account bound to a customer account: set AcmeHttps:ExternalAccountBinding:KeyId and HmacKey to what it gave you.",
        AcmeProblemTypes.InvalidContact or AcmeProblemTypes.UnsupportedContact => "Set AcmeHttps:EmailAddress to an address that the authority accepts.",
        AcmeProblemTypes.RejectedIdentifier or AcmeProblemTypes.UnsupportedIdentifier => "The authority does not issue for this name by its policy: remove it from AcmeHttps, or use another authority.",
        AcmeProblemTypes.UserActionRequired => "The authority wants a person to act, most often to agree to new terms: follow what it says, then set AcmeHttps:AcceptTermsOfService.",
        AcmeProblemTypes.InvalidProfile => "Set AcmeHttps:Profile to one that the authority offers, or leave it out.",
        AcmeProblemTypes.RateLimited => "A rate limit of the authority was reached; it is not tried again before the time that the authority names.",
        _ => null,
    };

    /// <summary>The advice where an authority refuses an account: its "unauthorized" then speaks of the binding or the key, not of a name.</summary>
    public static string ForAccount(string? problemType, bool wasBound) => problemType switch
    {
        AcmeProblemTypes.ExternalAccountRequired or AcmeProblemTypes.InvalidContact or AcmeProblemTypes.UnsupportedContact or AcmeProblemTypes.UserActionRequired
            => For(problemType)!,
        _ when wasBound => "Check that AcmeHttps:ExternalAccountBinding:KeyId and HmacKey are what the authority gave you, whole and not used up.",
        _ => "Check AcmeHttps:EmailAddress and AcmeHttps:AcceptTermsOfService, and whether the authority closed the account.",
    };
}
