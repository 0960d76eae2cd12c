using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>What an operator can do about a problem that an authority reports. Pure.</summary>
internal static class ProblemAdvice
{
    private const string CheckZone =
        "check that every name server in the zone's NS records answers from the Internet, over UDP and TCP, that the delegation from the " +
        "parent zone is right, and that DNSSEC signatures and DS records are valid.";

    /// <param name="problemType">The problem's type.</param>
    /// <param name="challengeType">The type of the challenge that failed, if one did: each is answered in another place.</param>
    /// <param name="isAddress">Whether it was for an IP address, which has no DNS records.</param>
    /// <returns>A sentence, or <see langword="null"/> when the authority's own words say it all.</returns>
    public static string? For(string? problemType, string? challengeType = null, bool isAddress = false) => problemType switch
    {
        AcmeProblemTypes.Caa => "A CAA record forbids this authority: add one that allows it (example.com. CAA 0 issue \"<the authority's domain>\"), or remove the one that does not.",
        AcmeProblemTypes.Connection or AcmeProblemTypes.Dns or AcmeProblemTypes.Unauthorized
            or AcmeProblemTypes.IncorrectResponse or AcmeProblemTypes.Tls
            => ForValidation(problemType, challengeType, isAddress),
        AcmeProblemTypes.ExternalAccountRequired => "This authority wants an account bound to a customer account: set AcmeHttps:ExternalAccountBinding:KeyId and HmacKey to what it gave you.",
        AcmeProblemTypes.InvalidContact or AcmeProblemTypes.UnsupportedContact => "Set AcmeHttps:EmailAddress to an address that the authority accepts.",
        AcmeProblemTypes.RejectedIdentifier or AcmeProblemTypes.UnsupportedIdentifier => "The authority does not issue for this name by its policy: remove it from AcmeHttps, or use another authority.",
        AcmeProblemTypes.UserActionRequired => "The authority wants a person to act, most often to agree to new terms: follow what it says, then set AcmeHttps:AcceptTermsOfService.",
        AcmeProblemTypes.InvalidProfile => "Set AcmeHttps:Profile to one that the authority offers, or leave it out.",
        AcmeProblemTypes.RateLimited => "A rate limit of the authority was reached; it is not tried again before the time that the authority names.",
        _ => null,
    };

    private static string ForValidation(string problemType, string? challengeType, bool isAddress) => (challengeType, problemType) switch
    {
        ("dns-01" or "dns-account-01", AcmeProblemTypes.Unauthorized or AcmeProblemTypes.IncorrectResponse)
            => "The authority saw another value, or none, in the TXT record of _acme-challenge: check that all name servers of its zone " +
                "show the same records, that a CNAME of _acme-challenge leads to the zone that the DNS provider changes, " +
                "and, if some servers lag behind, set MinimumWait for the provider.",
        ("dns-01" or "dns-account-01", _) => $"The authority could not look up the TXT record of _acme-challenge: {CheckZone}",
        ("dns-persist-01", AcmeProblemTypes.Unauthorized or AcmeProblemTypes.IncorrectResponse)
            => "The authority does not accept the TXT record of _validation-persist: check that it names this authority and " +
                "this account, and that persistUntil is not past.",
        ("dns-persist-01", _) => $"The authority could not look up the TXT record of _validation-persist: {CheckZone}",
        ("tls-alpn-01", AcmeProblemTypes.Connection)
            => $"The authority could not connect to port 443: check that {Leads(isAddress)}, and that port 443 is open from the Internet.",
        ("tls-alpn-01", not AcmeProblemTypes.Dns)
            => $"The TLS handshake of the validation did not end here: check that {Leads(isAddress)}, and that port 443 leads " +
                "straight to this application. A proxy or load balancer in between that ends TLS, or drops the ALPN protocol acme-tls/1, " +
                "makes tls-alpn-01 impossible: use http-01 or dns-01 there.",
        ("http-01", AcmeProblemTypes.Connection)
            => $"The authority could not connect to port 80: check that {Leads(isAddress)}, and that port 80 is open from the Internet.",
        ("http-01", AcmeProblemTypes.Tls)
            => "The request was redirected to HTTPS, and the TLS handshake there failed: check what answers on port 443, " +
                "or that /.well-known/acme-challenge/ is not redirected.",
        (_, AcmeProblemTypes.Dns)
            => "The authority could not look the name up: check that it has A or AAAA records, and that its name servers answer.",
        (null, AcmeProblemTypes.Connection)
            => $"The authority could not connect: check that {Leads(isAddress)}, " +
                "and that port 80 (http-01) or 443 (tls-alpn-01) is open from the Internet.",
        (null, AcmeProblemTypes.Tls)
            => "The TLS handshake of the validation failed: check that port 443 leads straight here, " +
                "with nothing in between that ends TLS.",
        ("http-01", _)
            => $"Somebody else answered, or a proxy in between did: check that {Leads(isAddress)}, " +
                "and that /.well-known/acme-challenge/ is passed through.",
        (null, _)
            => $"The authority did not find the challenge's answer: check that {Leads(isAddress)}, " +
                "and that nothing in between answers for this application.",
        _ => $"The authority did not accept the answer to the {challengeType} challenge: check what its handler made visible.",
    };

    private static string Leads(bool isAddress)
        => isAddress ? "the address belongs to this machine" : "the name's A and AAAA records all lead here";

    /// <summary>The advice where there was no answer: whatever failed is named, and nothing else.</summary>
    public static string ForUnreachable(AcmeUnreachableException failure) => failure.Reason switch
    {
        AcmeUnreachableReason.NameNotResolved => "It is tried again by itself. If the host name is wrong, correct AcmeHttps:DirectoryUrl.",
        AcmeUnreachableReason.CertificateNotTrusted when failure.HadTrustedRoots =>
            "Put the certificate of the root, or of the intermediate, that issued the CA's own HTTPS certificate into the file that "
            + "AcmeHttps:TrustedRootsPath names; it is read again when it changes.",
        AcmeUnreachableReason.CertificateNotTrusted
            => "If this is a private CA, set AcmeHttps:TrustedRootsPath to a PEM file with the root of its own HTTPS.",
        AcmeUnreachableReason.CertificateNotTimeValid
            => "Check this machine's clock; if it is right, the CA must renew the certificate of its own HTTPS.",
        AcmeUnreachableReason.CertificateNameMismatch => "Set AcmeHttps:DirectoryUrl to a host name that the certificate is for.",
        AcmeUnreachableReason.TlsFailed => "It is tried again by itself. Something between this machine and the CA may end TLS.",
        _ => "It is tried again by itself.",
    };
}
