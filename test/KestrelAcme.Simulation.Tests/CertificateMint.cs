using System.Buffers.Text;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Signs certificates and revocation lists as cheaply as they can be valid: one P-256 key, DER written by hand.</summary>
internal sealed class CertificateMint : IDisposable
{
    private static readonly Asn1Tag Zero = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag Three = new(TagClass.ContextSpecific, 3, isConstructed: true);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _issuer;
    private readonly byte[] _issuerName;
    private readonly byte[] _keyIdentifier;
    private long _serial = 0x1000_0000_0000;
    private long _listNumber;

    public CertificateMint(DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=Simulated authority", _key, HashAlgorithmName.SHA256);
        var identifier = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(identifier);
        _issuer = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(20));
        _issuerName = _issuer.SubjectName.RawData;
        _keyIdentifier = identifier.SubjectKeyIdentifierBytes.ToArray();
    }

    public static Uri RevocationListUrl { get; } = new("http://crl.model.test/list.crl");

    public ReadOnlyMemory<byte> Issuer => _issuer.RawDataMemory;

    /// <summary>The public key of a PKCS #10 request.</summary>
    public static ReadOnlyMemory<byte> PublicKeyOf(ReadOnlyMemory<byte> certificateRequest)
    {
        var info = new AsnReader(certificateRequest, AsnEncodingRules.DER).ReadSequence().ReadSequence();
        info.ReadInteger();
        info.ReadEncodedValue();
        return info.ReadEncodedValue();
    }

    public (byte[] Certificate, byte[] Serial) Sign(
        IReadOnlyList<string> names, ReadOnlyMemory<byte> publicKey, DateTimeOffset notBefore, DateTimeOffset notAfter)
    {
        var serial = new BigInteger(Interlocked.Increment(ref _serial)).ToByteArray(isUnsigned: false, isBigEndian: true);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(Zero))
            {
                writer.WriteInteger(2);
            }

            writer.WriteInteger(serial);
            WriteAlgorithm(writer);
            writer.WriteEncodedValue(_issuerName);
            using (writer.PushSequence())
            {
                writer.WriteUtcTime(notBefore);
                writer.WriteUtcTime(notAfter);
            }

            writer.WriteEncodedValue([0x30, 0x00]);
            writer.WriteEncodedValue(publicKey.Span);
            using (writer.PushSequence(Three))
            using (writer.PushSequence())
            {
                WriteExtension(writer, "2.5.29.17", critical: true, WriteNames(names));
                WriteExtension(writer, "2.5.29.35", critical: false, WriteKeyIdentifier());
                WriteExtension(writer, "2.5.29.31", critical: false, WriteDistributionPoint());
            }
        }

        return (Signed(writer.Encode()), serial);
    }

    /// <summary>The id of RFC 9773 section 4.1.</summary>
    public string CertificateId(byte[] serial) => $"{Base64Url.EncodeToString(_keyIdentifier)}.{Base64Url.EncodeToString(serial)}";

    public byte[] SignList(IEnumerable<(byte[] Serial, DateTimeOffset At)> revoked, DateTimeOffset now)
    {
        var builder = new CertificateRevocationListBuilder();
        foreach (var (serial, at) in revoked)
        {
            builder.AddEntry(serial, at);
        }

        return builder.Build(
            _issuer, Interlocked.Increment(ref _listNumber), now.AddDays(9), HashAlgorithmName.SHA256, thisUpdate: now.AddMinutes(-1));
    }

    public void Dispose()
    {
        _issuer.Dispose();
        _key.Dispose();
    }

    private byte[] Signed(byte[] toBeSigned)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(toBeSigned);
            WriteAlgorithm(writer);
            writer.WriteBitString(_key.SignData(toBeSigned, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return writer.Encode();
    }

    private static void WriteAlgorithm(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier("1.2.840.10045.4.3.2");
        }
    }

    private static void WriteExtension(AsnWriter writer, string oid, bool critical, AsnWriter value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            if (critical)
            {
                writer.WriteBoolean(true);
            }

            writer.WriteOctetString(value.Encode());
        }
    }

    private static AsnWriter WriteNames(IReadOnlyList<string> names)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var name in names)
            {
                writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, 2));
            }
        }

        return writer;
    }

    private AsnWriter WriteKeyIdentifier()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString(_keyIdentifier, new Asn1Tag(TagClass.ContextSpecific, 0));
        }

        return writer;
    }

    private static AsnWriter WriteDistributionPoint()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence(Zero))
        using (writer.PushSequence(Zero))
        {
            writer.WriteCharacterString(
                UniversalTagNumber.IA5String, RevocationListUrl.ToString(), new Asn1Tag(TagClass.ContextSpecific, 6));
        }

        return writer;
    }
}
