using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Model;

/// <summary>A certificate with the values that are read from its leaf once.</summary>
/// <remarks>Tens of thousands of these are in memory at once. Values that are rarely needed are read from the leaf each time.</remarks>
internal sealed record CertificateSnapshot(
    CertificateRecord Record, DateTimeOffset NotBefore, DateTimeOffset NotAfter, Uri? RevocationListUrl)
{
    private static readonly TimeSpan LargestSkew = TimeSpan.FromHours(1);

    private static ReadOnlySpan<byte> AuthorityKeyIdentifierOid => [0x55, 0x1D, 0x23];

    /// <summary>The serial number, in hexadecimal.</summary>
    public string SerialNumber => Convert.ToHexString(Shape.SerialNumber);

    /// <summary>The issuer's name.</summary>
    public string Issuer => new X500DistinguishedName(Shape.Issuer).Name;

    private DerCertificate Shape => DerCertificate.Read(Record.Chain[0].Span);

    /// <summary>Whether the leaf names itself as its issuer. No CA issues such a certificate.</summary>
    public bool IsSelfSigned => IsSelfIssued(Record.Chain[0]);

    /// <summary>Reads the leaf of a certificate. The names are those of the leaf, whatever the metadata says.</summary>
    /// <exception cref="DamagedValueException">The leaf cannot be read.</exception>
    public static CertificateSnapshot Read(CertificateRecord record)
    {
        try
        {
            var leaf = DerCertificate.Read(record.Chain[0].Span);
            var (notBefore, notAfter) = leaf.ReadValidity();
            if (!SubjectNames.AreExactly(leaf, record.Metadata.Names))
            {
                record = record with { Metadata = record.Metadata with { Names = SubjectNames.Read(leaf) } };
            }

            return new CertificateSnapshot(record, notBefore, notAfter, CrlDistributionPoint.Find(leaf));
        }
        catch (AsnContentException exception)
        {
            throw new DamagedValueException($"its certificate cannot be read: {exception.Message}", exception);
        }
    }

    public CertificateFacts Facts(CertificateSpecification specification, bool renewalInfoOffered, RevocationRecord? revocation = null)
        => new(NotBefore, NotAfter, Covers(specification), renewalInfoOffered, Record.Metadata.Jitter)
        {
            Revocation = revocation is null || revocation.SerialNumber != SerialNumber ? RevocationState.None
                : revocation.OnPurpose ? RevocationState.OnPurpose
                : RevocationState.Replace,
        };

    /// <summary>Returns the certificate to serve under the configured names, and not under others that it may have.</summary>
    public CertificateMaterial Material(CertificateSpecification wanted)
    {
        var names = Record.Metadata.Names;
        var isExact = names.Length == wanted.Identifiers.Count && Covers(wanted);
        return Material(wanted.Id, isExact ? names : [.. wanted.Identifiers.Select(i => i.Value).Where(names.Contains)]);
    }

    /// <summary>Returns the certificate to serve under some of its names.</summary>
    public CertificateMaterial Material(string id, IReadOnlyList<string> names)
        => new(id, names, ServedChain, Record.PrivateKey, NotBefore, NotAfter);

    // A root is stored if it issued the leaf itself, because it signs the revocation list. Clients have the roots that they trust.
    private IReadOnlyList<ReadOnlyMemory<byte>> ServedChain
        => Record.Chain.Count == 2 && IsSelfIssued(Record.Chain[1]) ? [Record.Chain[0]] : Record.Chain;

    /// <summary>Whether a known staging service issued it. No client trusts such a certificate.</summary>
    public bool IsFromStaging => WellKnownAuthorities.IsStaging(Record.Metadata.DirectoryUrl);

    public bool IsSameAs(CertificateSnapshot? other)
    {
        if (other is null)
        {
            return false;
        }

        var mine = Shape;
        var others = other.Shape;
        return mine.SerialNumber.SequenceEqual(others.SerialNumber) && mine.Issuer.SequenceEqual(others.Issuer);
    }

    /// <summary>
    /// Whether this certificate was obtained after another one. NotBefore does not tell: two certificates may have the same second, and CAs
    /// backdate differently.
    /// </summary>
    public bool IsNewerThan(CertificateSnapshot? other, DateTimeOffset now)
        => other is null || (!IsSameAs(other) && ObtainedAt(now) > other.ObtainedAt(now));

    /// <summary>Whether two certificates have the same key.</summary>
    public bool HasSameKeyAs(CertificateSnapshot other) => Shape.PublicKeyInfo.SequenceEqual(other.Shape.PublicKeyInfo);

    /// <summary>
    /// Reads the identifier for renewal information (RFC 9773 section 4.1); <see langword="null"/> if the leaf does not identify the key of
    /// its issuer.
    /// </summary>
    public RenewalCertificateId? ReadRenewalId()
    {
        try
        {
            var leaf = Shape;
            var extension = leaf.FindExtension(AuthorityKeyIdentifierOid);
            return !extension.IsEmpty && new X509AuthorityKeyIdentifierExtension(extension).KeyIdentifier is { } issuerKey
                ? RenewalCertificateId.Create(issuerKey.Span, leaf.SerialNumber)
                : null;
        }
        catch (Exception exception) when (exception is CryptographicException or AsnContentException)
        {
            // A damaged extension identifies nothing.
            return null;
        }
    }

    // A time in the future was recorded by a wrong clock, or by somebody else. NotBefore is used instead.
    private DateTimeOffset ObtainedAt(DateTimeOffset now)
        => Record.Metadata.ObtainedAt > now + LargestSkew ? NotBefore : Record.Metadata.ObtainedAt;

    /// <summary>Whether a certificate names itself as its issuer, as roots do.</summary>
    public static bool IsSelfIssued(ReadOnlyMemory<byte> certificate)
    {
        try
        {
            var read = DerCertificate.Read(certificate.Span);
            return read.Issuer.SequenceEqual(read.Subject);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    public override string ToString() => $"{SerialNumber} until {NotAfter:u}";

    /// <summary>Returns the fault of the certificate for the configured names.</summary>
    public StoredFault FindFault(CertificateSpecification wanted, DateTimeOffset now)
        => IsSelfSigned ? StoredFault.SelfSigned
            : !Covers(wanted) ? StoredFault.OtherNames
            : NotAfter <= now ? StoredFault.Expired
            : NotBefore > now + LargestSkew ? StoredFault.NotYetValid
            : StoredFault.None;

    private bool Covers(CertificateSpecification specification)
    {
        var identifiers = specification.Identifiers;
        for (var i = 0; i < identifiers.Count; i++)
        {
            if (!Record.Metadata.Names.Contains(identifiers[i].Value))
            {
                return false;
            }
        }

        return true;
    }
}

/// <summary>The facts about a certificate that the renewal policy needs.</summary>
/// <param name="NotBefore">The time from which it is valid.</param>
/// <param name="NotAfter">The time at which it expires.</param>
/// <param name="CoversNames">Whether it has all configured names.</param>
/// <param name="HasRenewalInfo">Whether its CA offers renewal information.</param>
/// <param name="Jitter">
/// A random number from 0 (inclusive) to 1 (exclusive), drawn once when the certificate was stored, so that the decision does not change.
/// </param>
internal sealed record CertificateFacts(
    DateTimeOffset NotBefore, DateTimeOffset NotAfter, bool CoversNames, bool HasRenewalInfo, double Jitter)
{
    public RevocationState Revocation { get; init; }

    /// <summary>The times at which certificates for these names were obtained recently.</summary>
    public IReadOnlyList<DateTimeOffset> Issued { get; init; } = [];

    public TimeSpan Lifetime => NotAfter - NotBefore;
}

/// <summary>The faults of a certificate in the store, the worst last. A certificate never replaces one with a lesser fault.</summary>
internal enum StoredFault
{
    None,
    NotYetValid,
    Expired,
    OtherNames,
    SelfSigned,
}
