using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>Reads a subjectAltName extension strictly: only DNS names and IP addresses are allowed.</summary>
internal static class SubjectAlternativeNames
{
    private static readonly Asn1Tag DnsName = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag IpAddress = new(TagClass.ContextSpecific, 7);

    /// <exception cref="CryptographicException">The extension is malformed or has another kind of name.</exception>
    public static IReadOnlyList<Identifier> Read(ReadOnlyMemory<byte> extension)
    {
        try
        {
            var reader = new AsnReader(extension, AsnEncodingRules.DER);
            var names = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            var identifiers = new List<Identifier>();
            while (names.HasData)
            {
                identifiers.Add(ReadName(names));
            }

            return identifiers;
        }
        catch (Exception e) when (e is AsnContentException or ArgumentException)
        {
            throw new CryptographicException("The subjectAltName extension is malformed.", e);
        }
    }

    private static Identifier ReadName(AsnReader names)
    {
        var tag = names.PeekTag();
        if (tag.HasSameClassAndValue(DnsName))
        {
            return Identifier.OfName(names.ReadCharacterString(UniversalTagNumber.IA5String, DnsName).ToLowerInvariant());
        }

        return tag.HasSameClassAndValue(IpAddress)
            ? Identifier.OfAddress(new IPAddress(names.ReadOctetString(IpAddress)))
            : throw new CryptographicException($"The subjectAltName extension has a name of another kind ({tag}).");
    }
}
