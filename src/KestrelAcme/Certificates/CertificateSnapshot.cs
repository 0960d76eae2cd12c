using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Configuration;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates;

/// <summary>A certificate that is there, with what is read from its leaf once.</summary>
internal sealed record CertificateSnapshot(CertificateRecord Record, string SerialNumber, string Issuer, DateTimeOffset NotBefore, DateTimeOffset NotAfter, Uri? RevocationListUrl)
{
    /// <exception cref="DamagedValueException">The leaf cannot be read.</exception>
    public static CertificateSnapshot Read(CertificateRecord record)
    {
        try
        {
            using var leaf = X509CertificateLoader.LoadCertificate(record.Chain[0].Span);
            return new CertificateSnapshot(record, leaf.SerialNumber, leaf.Issuer, leaf.NotBefore.ToUniversalTime(), leaf.NotAfter.ToUniversalTime(), CrlDistributionPoint.Find(leaf));
        }
        catch (CryptographicException exception)
        {
            throw new DamagedValueException($"its certificate cannot be read: {exception.Message}", exception);
        }
    }

    public CertificateFacts Facts(CertificateSpecification specification, bool renewalInfoOffered, RevocationRecord? revocation = null) => new(
        NotBefore,
        NotAfter,
        CoversNames: specification.Identifiers.All(i => Record.Metadata.Names.Contains(i.Value, StringComparer.Ordinal)),
        renewalInfoOffered,
        Record.Metadata.Jitter)
    {
        Revocation = revocation?.SerialNumber != SerialNumber ? RevocationState.None : revocation.OnPurpose ? RevocationState.OnPurpose : RevocationState.Replace,
    };

    public CertificateMaterial Material(string id) => new(id, Record.Metadata.Names, Record.Chain, Record.PrivateKey, NotBefore, NotAfter);

    /// <summary>Whether a staging service that we know issued it: no client trusts it.</summary>
    public bool IsFromStaging => WellKnownAuthorities.IsStaging(Record.Metadata.DirectoryUrl);

    public bool IsSameAs(CertificateSnapshot? other) => other is not null && SerialNumber == other.SerialNumber && Issuer == other.Issuer;

    /// <summary>Whether this certificate was obtained after another. Two may begin to be valid in the same second, or come from authorities that backdate differently.</summary>
    public bool IsNewerThan(CertificateSnapshot? other)
        => other is null || (!IsSameAs(other) && Record.Metadata.ObtainedAt > other.Record.Metadata.ObtainedAt);

    /// <summary>Whether two certificates stand for one key.</summary>
    public bool HasSameKeyAs(CertificateSnapshot other) => PublicKey().AsSpan().SequenceEqual(other.PublicKey());

    public override string ToString() => $"{SerialNumber} until {NotAfter:u}";

    private byte[] PublicKey()
    {
        using var leaf = X509CertificateLoader.LoadCertificate(Record.Chain[0].Span);
        return leaf.PublicKey.ExportSubjectPublicKeyInfo();
    }
}
