using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>Signs a new CRL (RFC 5280 section 5) after each revocation, and if the last one is an hour old.</summary>
internal sealed class RevocationListPublisher(Hierarchy hierarchy, RevocationLedger ledger, TimeProvider time)
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);
    private static readonly TimeSpan Validity = TimeSpan.FromDays(9);

    private readonly Lock _gate = new();
    private byte[]? _current;
    private int _listed;
    private DateTimeOffset _signedAt;

    public byte[] Current()
    {
        var now = time.GetUtcNow();
        var revoked = ledger.Snapshot();
        lock (_gate)
        {
            if (_current is null || revoked.Count != _listed || now - _signedAt >= MaxAge || now < _signedAt)
            {
                _current = Sign(revoked, now);
                _listed = revoked.Count;
                _signedAt = now;
            }

            return _current;
        }
    }

    private byte[] Sign(IReadOnlyList<RevokedCertificate> revoked, DateTimeOffset now)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var entry in revoked)
        {
            // RFC 5280: an entry without the extension means unspecified, which should be omitted.
            var reason = entry.Reason == X509RevocationReason.Unspecified ? (X509RevocationReason?)null : entry.Reason;
            builder.AddEntry(Convert.FromHexString(entry.SerialNumber), entry.RevokedAt, reason);
        }

        var number = new BigInteger(ledger.NextCrlNumber(now));
        lock (hierarchy.Signing)
        {
            return builder.Build(
                hierarchy.Intermediate.SubjectName,
                X509SignatureGenerator.CreateForECDsa(hierarchy.IntermediateKey),
                number,
                now + Validity,
                HashAlgorithmName.SHA256,
                X509AuthorityKeyIdentifierExtension.CreateFromCertificate(hierarchy.Intermediate, true, false),
                now);
        }
    }
}

/// <summary>Serves the CRL in DER.</summary>
internal sealed class RevocationListHandler(RevocationListPublisher publisher) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.RevocationList;

    public AcmeResponse Handle(AcmeRequest request) => request.Route.Id == AuthorityFiles.RevocationListName
        ? new AcmeResponse(200, "application/pkix-crl", publisher.Current()) { CarriesNonce = false }
        : throw Problem.NotFound("revocation list").ToException();
}
