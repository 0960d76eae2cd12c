using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Reads a revocation list from DER, checks that the issuer signed it and that it is about our certificates, and looks for serial numbers. Pure.</summary>
internal static class RevocationListReader
{
    private static readonly Asn1Tag Extensions = new(TagClass.ContextSpecific, 0, isConstructed: true);

    /// <param name="der">The list.</param>
    /// <param name="issuer">The certificate of the issuer of the certificates that are asked about.</param>
    /// <param name="source">Where the list was fetched: one that names another distribution point is not for these certificates.</param>
    /// <param name="serialNumbers">The serial numbers, in hexadecimal as .NET writes them.</param>
    /// <exception cref="UnusableRevocationListException">The list proves nothing; the message says why.</exception>
    public static RevocationList Read(ReadOnlyMemory<byte> der, X509Certificate2 issuer, Uri source, IReadOnlySet<string> serialNumbers)
    {
        try
        {
            var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
            var signed = list.ReadEncodedValue();
            var algorithm = list.ReadSequence().ReadObjectIdentifier();
            var signature = list.ReadBitString(out _);
            if (!RevocationListSignature.IsValid(issuer, algorithm, signed.Span, signature))
            {
                throw new UnusableRevocationListException($"it is not signed by {issuer.Subject}");
            }

            return ReadSigned(new AsnReader(signed, AsnEncodingRules.DER).ReadSequence(), issuer, source, serialNumbers);
        }
        catch (AsnContentException exception)
        {
            throw new UnusableRevocationListException("it is not a certificate revocation list", exception);
        }
    }

    private static RevocationList ReadSigned(AsnReader list, X509Certificate2 issuer, Uri source, IReadOnlySet<string> serialNumbers)
    {
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
        {
            list.ReadInteger();
        }

        list.ReadEncodedValue();
        if (!list.ReadEncodedValue().Span.SequenceEqual(issuer.SubjectName.RawData))
        {
            throw new UnusableRevocationListException($"it is not issued by {issuer.Subject}");
        }

        var thisUpdate = ReadTime(list);
        if (IsTime(list))
        {
            ReadTime(list);
        }

        var revoked = list.HasData && list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) ? ReadEntries(list.ReadSequence(), serialNumbers) : [];
        var number = list.HasData && list.PeekTag().HasSameClassAndValue(Extensions)
            ? RevocationListExtensions.Read(list.ReadSequence(Extensions).ReadSequence(), source)
            : null;
        return new RevocationList(number, thisUpdate, revoked);
    }

    private static List<RevokedEntry> ReadEntries(AsnReader entries, IReadOnlySet<string> serialNumbers)
    {
        var found = new List<RevokedEntry>();
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            var serial = Convert.ToHexString(entry.ReadIntegerBytes().Span);
            if (serialNumbers.Contains(serial))
            {
                found.Add(new RevokedEntry(serial, ReadTime(entry), entry.HasData ? ReadReason(entry.ReadSequence()) : null));
            }
        }

        return found;
    }

    private static RevocationReason? ReadReason(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            if (extension.ReadObjectIdentifier() != "2.5.29.21")
            {
                continue;
            }

            if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
            {
                extension.ReadBoolean();
            }

            return (RevocationReason)(int)new BigInteger(new AsnReader(extension.ReadOctetString(), AsnEncodingRules.DER).ReadEnumeratedBytes().Span, isBigEndian: true);
        }

        return null;
    }

    private static bool IsTime(AsnReader reader)
        => reader.HasData && (reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) || reader.PeekTag().HasSameClassAndValue(Asn1Tag.GeneralizedTime));

    private static DateTimeOffset ReadTime(AsnReader reader)
        => reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
