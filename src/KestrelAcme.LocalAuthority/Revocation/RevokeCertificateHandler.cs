using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>Revokes certificates (RFC 8555 section 7.6).</summary>
internal sealed class RevokeCertificateHandler(
    Hierarchy hierarchy,
    CertificateLedger certificates,
    RevocationLedger revocations,
    AuthorizationBook authorizations,
    TimeProvider time,
    AuthorityLog log) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.RevokeCertificate;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var payload = request.Read(AuthorityJson.Default.RevocationPayload);
        using var certificate = ReadCertificate(payload);
        var reason = ReadReason(payload.Reason);
        Authorize(request, certificate);
        if (!revocations.TryAdd(new RevokedCertificate(certificate.SerialNumber, time.GetUtcNow(), reason)))
        {
            throw Problem.Of("alreadyRevoked", 400, "The certificate is already revoked.").ToException();
        }

        log.CertificateRevoked(certificate.SerialNumber, reason);
        return AcmeResponse.Empty(200);
    }

    private static X509RevocationReason ReadReason(int? code) => code switch
    {
        null => X509RevocationReason.Unspecified,
        0 or 1 or 3 or 4 or 5 => (X509RevocationReason)code,
        _ => throw Problem.Of("badRevocationReason", 400, $"The reason {code} is not accepted: use 0, 1, 3, 4 or 5.").ToException(),
    };

    private X509Certificate2 ReadCertificate(RevocationPayload payload)
    {
        if (!Base64UrlText.TryDecode(payload.Certificate, out var der))
        {
            throw Problem.Malformed("'certificate' is missing or not base64url.").ToException();
        }

        X509Certificate2 certificate;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException e)
        {
            throw Problem.Malformed("'certificate' is not a certificate: " + e.Message).ToException();
        }

        return hierarchy.Issued(certificate) ? certificate : throw Problem.NotFound("certificate").ToException();
    }

    private void Authorize(AcmeRequest request, X509Certificate2 certificate)
    {
        if (request.Account is { } account)
        {
            if (certificates.FindBySerial(certificate.SerialNumber)?.AccountId == account.Id
                || HoldsAllNames(account.Id, certificate))
            {
                return;
            }

            throw Problem
                .Unauthorized("The account neither ordered the certificate nor holds authorizations for all of its names.")
                .ToException();
        }

        if (AccountKey.FingerprintOf(certificate.PublicKey.ExportSubjectPublicKeyInfo()) != request.Key?.Fingerprint)
        {
            throw Problem.Unauthorized("The request is not signed with the certificate's key.").ToException();
        }
    }

    private bool HoldsAllNames(string accountId, X509Certificate2 certificate)
    {
        var names = certificate.Extensions.First(e => e.Oid?.Value == "2.5.29.17");
        var now = time.GetUtcNow();
        return SubjectAlternativeNames.Read(names.RawData).All(i => authorizations.HasValid(accountId, i, now));
    }
}

/// <summary>The payload of revokeCert (RFC 8555 section 7.6).</summary>
internal sealed record RevocationPayload
{
    public string? Certificate { get; init; }

    public int? Reason { get; init; }
}
