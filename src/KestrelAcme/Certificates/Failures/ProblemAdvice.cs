using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>Advises operators about problems that a CA reports. Pure.</summary>
internal static class ProblemAdvice
{
    private const string CheckZone =
        "check that every name server in the zone's NS records answers from the Internet, over UDP and TCP, that the delegation from the " +
        "parent zone is right, and that DNSSEC signatures and DS records are valid.";

    /// <param name="problemType">The problem's type.</param>
    /// <param name="challengeType">
    /// The type of the failed challenge, if a challenge failed. The response to each type is in another place.
    /// </param>
    /// <param name="isAddress">Whether the challenge was for an IP address, which has no DNS records.</param>
    /// <returns>A sentence; <see langword="null"/> if the CA's own words are enough.</returns>
    public static string? For(string? problemType, string? challengeType = null, bool isAddress = false) => problemType switch
    {
        AcmeProblemTypes.Caa
            => "A CAA record forbids this CA: add a record that allows it (example.com. CAA 0 issue \"<the CA's domain>\"), or remove " +
                "the one that does not.",
        AcmeProblemTypes.Connection or AcmeProblemTypes.Dns or AcmeProblemTypes.Unauthorized
            or AcmeProblemTypes.IncorrectResponse or AcmeProblemTypes.Tls
            => ForValidation(problemType, challengeType, isAddress),
        AcmeProblemTypes.RejectedIdentifier or AcmeProblemTypes.UnsupportedIdentifier
            => "The policy of the CA forbids certificates for this name: remove it from AcmeHttps, or use another CA.",
        AcmeProblemTypes.InvalidProfile => "Set AcmeHttps:Profile to a profile that the CA offers, or remove it.",
        AcmeProblemTypes.RateLimited
            => "A rate limit of the CA was reached. KestrelAcme does not try again before the time that the CA states.",
        _ => AccountAdvice.ForProblem(problemType),
    };

    private static string ForValidation(string problemType, string? challengeType, bool isAddress) => (challengeType, problemType) switch
    {
        ("dns-01" or "dns-account-01", AcmeProblemTypes.Unauthorized or AcmeProblemTypes.IncorrectResponse)
            => "The CA found another value, or none, in the TXT record of _acme-challenge: check that all name servers of its zone " +
                "show the same records, that a CNAME of _acme-challenge points to the zone that the DNS provider changes, " +
                "and, if some servers lag behind, set MinimumWait for the provider.",
        ("dns-01" or "dns-account-01", _) => $"The CA could not look up the TXT record of _acme-challenge: {CheckZone}",
        ("dns-persist-01", AcmeProblemTypes.Unauthorized or AcmeProblemTypes.IncorrectResponse)
            => "The CA does not accept the TXT record of _validation-persist: check that it names this CA and this account, and that " +
                "persistUntil is in the future.",
        ("dns-persist-01", _) => $"The CA could not look up the TXT record of _validation-persist: {CheckZone}",
        ("tls-alpn-01", AcmeProblemTypes.Connection)
            => $"The CA could not connect to port 443: check that {Leads(isAddress)}, and that port 443 is open from the Internet.",
        ("tls-alpn-01", not AcmeProblemTypes.Dns)
            => $"The TLS handshake of the validation did not reach this app: check that {Leads(isAddress)}, and that port 443 leads " +
                "directly to it. A proxy or load balancer in between that ends TLS, or drops the ALPN protocol acme-tls/1, " +
                "makes tls-alpn-01 impossible: use http-01 or dns-01 there.",
        ("http-01", AcmeProblemTypes.Connection)
            => $"The CA could not connect to port 80: check that {Leads(isAddress)}, and that port 80 is open from the Internet.",
        ("http-01", AcmeProblemTypes.Tls)
            => "The request was redirected to HTTPS, and the TLS handshake there failed: check what answers on port 443, " +
                "or that /.well-known/acme-challenge/ is not redirected.",
        (_, AcmeProblemTypes.Dns)
            => "The CA could not look up the name: check that it has A or AAAA records, and that its name servers answer.",
        (null, AcmeProblemTypes.Connection)
            => $"The CA could not connect: check that {Leads(isAddress)}, " +
                "and that port 80 (http-01) or 443 (tls-alpn-01) is open from the Internet.",
        (null, AcmeProblemTypes.Tls)
            => "The TLS handshake of the validation failed: check that port 443 leads directly to this app, " +
                "with nothing in between that ends TLS.",
        ("http-01", _)
            => $"Another server answered, or a proxy in between did: check that {Leads(isAddress)}, " +
                "and that /.well-known/acme-challenge/ is passed through.",
        (null, _)
            => $"The CA did not find the response to the challenge: check that {Leads(isAddress)}, " +
                "and that nothing in between answers for this app.",
        _ => $"The CA did not accept the response to the {challengeType} challenge: check what its handler published.",
    };

    private static string Leads(bool isAddress)
        => isAddress ? "the address belongs to this machine" : "the name's A and AAAA records all point to this app";

    /// <summary>The advice if there was no response. It names only what failed.</summary>
    public static string ForUnreachable(AcmeUnreachableException failure) => failure.Reason switch
    {
        AcmeUnreachableReason.NameNotResolved => "KestrelAcme tries again. If the host name is wrong, correct AcmeHttps:DirectoryUrl.",
        AcmeUnreachableReason.CertificateNotTrusted when failure.HadTrustedRoots =>
            "Put the certificate of the root, or of the intermediate, that issued the CA's HTTPS certificate into the file that "
            + "AcmeHttps:TrustedRootsPath names; it is read again when it changes.",
        AcmeUnreachableReason.CertificateNotTrusted
            => "If this is a private CA, set AcmeHttps:TrustedRootsPath to a PEM file with the root of its HTTPS certificate.",
        AcmeUnreachableReason.CertificateNotTimeValid
            => "Check this machine's clock; if it is right, the CA must renew its HTTPS certificate.",
        AcmeUnreachableReason.CertificateNameMismatch => "Set AcmeHttps:DirectoryUrl to a host name that the certificate lists.",
        AcmeUnreachableReason.TlsFailed => "KestrelAcme tries again. Something between this machine and the CA may end TLS.",
        _ => "KestrelAcme tries again.",
    };
}
