using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Certificates;

namespace KestrelAcme.LocalAuthority.Revocation;

/// <summary>Signs the CRL (RFC 5280 section 5) anew when something was revoked, or when the last one is an hour old.</summary>
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
            // An entry without the extension means unspecified: RFC 5280 asks to leave it out.
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
