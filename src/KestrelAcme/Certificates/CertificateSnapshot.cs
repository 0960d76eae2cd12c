using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates;

/// <summary>A certificate that is there, with what is read from its leaf once.</summary>
internal sealed record CertificateSnapshot(CertificateRecord Record, string SerialNumber, DateTimeOffset NotBefore, DateTimeOffset NotAfter, Uri? RevocationListUrl)
{
    // Read when it is first asked for, not at the start; every six hours after that.
    private RenewalCertificateId? _renewalId;

    /// <summary>The issuer's name.</summary>
    public string Issuer => new X500DistinguishedName(Shape.Issuer).Name;

    /// <summary>By what an authority is asked for renewal information (RFC 9773 section 4.1); <see langword="null"/> where the leaf does not name its issuer's key.</summary>
    public RenewalCertificateId? RenewalId => _renewalId ??= ReadRenewalId();

    private CertificateShape Shape => CertificateShape.Read(Record.Chain[0].Span);

    /// <exception cref="DamagedValueException">The leaf cannot be read.</exception>
    public static CertificateSnapshot Read(CertificateRecord record)
    {
        try
        {
            var leaf = CertificateShape.Read(record.Chain[0].Span);
            var (notBefore, notAfter) = leaf.ReadValidity();
            return new CertificateSnapshot(record, Convert.ToHexString(leaf.SerialNumber), notBefore, notAfter, CrlDistributionPoint.Find(leaf));
        }
        catch (AsnContentException exception)
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

    public bool IsSameAs(CertificateSnapshot? other) => other is not null && SerialNumber == other.SerialNumber && Shape.Issuer.SequenceEqual(other.Shape.Issuer);

    /// <summary>Whether this certificate was obtained after another. Two may begin to be valid in the same second, or come from authorities that backdate differently.</summary>
    public bool IsNewerThan(CertificateSnapshot? other)
        => other is null || (!IsSameAs(other) && Record.Metadata.ObtainedAt > other.Record.Metadata.ObtainedAt);

    /// <summary>Whether two certificates stand for one key.</summary>
    public bool HasSameKeyAs(CertificateSnapshot other) => Shape.PublicKeyInfo.SequenceEqual(other.Shape.PublicKeyInfo);

    public override string ToString() => $"{SerialNumber} until {NotAfter:u}";

    private RenewalCertificateId? ReadRenewalId()
    {
        try
        {
            using var leaf = X509CertificateLoader.LoadCertificate(Record.Chain[0].Span);
            return RenewalCertificateId.TryCreate(leaf, out var id) ? id : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
