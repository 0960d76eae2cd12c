using System.Formats.Asn1;
using System.Numerics;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Reads the extensions of a revocation list: its number, and the certificates that it covers (RFC 5280 sections 5.2.3 and 5.2.5). Pure.
/// </summary>
internal static class RevocationListExtensions
{
    private const string CrlNumber = "2.5.29.20";
    private const int MaxNumberLength = 20;
    private const string IssuingDistributionPoint = "2.5.29.28";

    /// <returns>The CRL number.</returns>
    /// <exception cref="UnusableRevocationListException">
    /// The list does not cover end-entity certificates that name this URL, or it has an unknown critical extension.
    /// </exception>
    public static BigInteger? Read(AsnReader extensions, Uri source)
    {
        BigInteger? number = null;
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var oid = extension.ReadObjectIdentifier();
            var critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
            var value = new AsnReader(extension.ReadOctetString(), AsnEncodingRules.DER);
            switch (oid)
            {
                case CrlNumber:
                    number = ReadNumber(value.ReadIntegerBytes().Span);
                    break;
                case IssuingDistributionPoint:
                    CheckScope(value.ReadSequence(), source);
                    break;
                default:
                    if (critical)
                    {
                        throw new UnusableRevocationListException($"it has an unknown critical extension ({oid})");
                    }

                    break;
            }
        }

        return number;
    }

    // Up to 20 octets (RFC 5280 section 5.2.3), and one for the sign. Converting a much longer number to decimal would keep a processor
    // busy for minutes.
    private static BigInteger ReadNumber(ReadOnlySpan<byte> bytes)
        => (bytes.Length <= MaxNumberLength || (bytes.Length == MaxNumberLength + 1 && bytes[0] == 0)) && bytes[0] < 0x80
            ? new BigInteger(bytes, isUnsigned: true, isBigEndian: true)
            : throw new UnusableRevocationListException(
                $"its number has {bytes.Length} octets, or is negative; {MaxNumberLength} are allowed");

    // distributionPoint [0], onlyContainsUserCerts [1], onlyContainsCACerts [2], onlySomeReasons [3], indirectCRL [4],
    // onlyContainsAttributeCerts [5].
    private static void CheckScope(AsnReader scope, Uri source)
    {
        while (scope.HasData)
        {
            var tag = scope.PeekTag();
            switch (tag.TagClass == TagClass.ContextSpecific ? tag.TagValue : -1)
            {
                case 0:
                    var names = CrlDistributionPoint.ReadFullName(scope.ReadSequence(tag)).ToList();
                    if (names.Count > 0 && !names.Contains(source))
                    {
                        throw new UnusableRevocationListException($"it is for the distribution point {names[0]}, not for {source}");
                    }

                    break;
                case 2 or 4 or 5 when scope.ReadBoolean(tag):
                    throw new UnusableRevocationListException("it does not cover server certificates of this issuer");
                case 2 or 4 or 5:
                    break;
                default:
                    scope.ReadEncodedValue();
                    break;
            }
        }
    }
}
