using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Reads a revocation list while it arrives, verifies its signature and scope, and searches it for serial numbers. Only the matches are
/// kept, and no field is converted to a number that is longer than RFC 5280 allows: until the signature, which comes last, is verified, the
/// data may come from anybody.
/// </summary>
internal static class RevocationListReader
{
    private const byte Integer = 0x02;
    private const byte Sequence = 0x30;
    private const byte UtcTime = 0x17;
    private const byte GeneralizedTime = 0x18;
    private const byte Extensions = 0xA0;
    private const int MaxFieldLength = 16 * 1024;

    /// <param name="stream">The list.</param>
    /// <param name="issuer">The certificate of the issuer of the certificates.</param>
    /// <param name="source">The URL of the list. A list that names another distribution point does not cover these certificates.</param>
    /// <param name="serialNumbers">The serial numbers, in hexadecimal as .NET writes them.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="UnusableRevocationListException">The list proves nothing. The message has the reason.</exception>
    public static async Task<RevocationList> ReadAsync(
        Stream stream, X509Certificate2 issuer, Uri source, IReadOnlySet<string> serialNumbers, CancellationToken cancellationToken)
    {
        using var der = new DerStream(stream, RevocationListClient.MaxLength);
        try
        {
            var end = await der.EnterAsync(Sequence, RevocationListClient.MaxLength, cancellationToken);
            der.BeginSigned();
            var signedEnd = await der.EnterAsync(Sequence, end, cancellationToken);
            if (await der.PeekTagAsync(signedEnd, cancellationToken) == Integer)
            {
                await der.ReadAsync(MaxFieldLength, signedEnd, cancellationToken); // The version.
            }

            var algorithm = AlgorithmOf(await der.ReadAsync(MaxFieldLength, signedEnd, cancellationToken));
            der.UseHash(RevocationListSignature.HashOf(algorithm) ?? throw NotSigned(issuer));
            var list = await ReadSignedAsync(der, signedEnd, issuer, source, new Search(serialNumbers), cancellationToken);
            var hash = der.EndSigned();
            var isSame = AlgorithmOf(await der.ReadAsync(MaxFieldLength, end, cancellationToken)) == algorithm;
            var signed = await der.ReadAsync(MaxFieldLength, end, cancellationToken);
            var signature = new AsnReader(signed, AsnEncodingRules.DER).ReadBitString(out var unused);
            var isWhole = isSame && unused == 0 && der.Position == end;
            return isWhole && RevocationListSignature.IsValid(issuer, algorithm, hash, signature) ? list : throw NotSigned(issuer);
        }
        catch (Exception exception) when (exception is AsnContentException or CryptographicException or ArgumentException)
        {
            throw new UnusableRevocationListException("it is not a certificate revocation list", exception);
        }
    }

    private static UnusableRevocationListException NotSigned(X509Certificate2 issuer) => new($"it is not signed by {issuer.Subject}");

    private static string AlgorithmOf(ReadOnlyMemory<byte> identifier)
        => new AsnReader(identifier, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier();

    private static async Task<RevocationList> ReadSignedAsync(
        DerStream der, long end, X509Certificate2 issuer, Uri source, Search search, CancellationToken cancellationToken)
    {
        if (!(await der.ReadAsync(MaxFieldLength, end, cancellationToken)).Span.SequenceEqual(issuer.SubjectName.RawData))
        {
            throw new UnusableRevocationListException($"it is not issued by {issuer.Subject}");
        }

        var thisUpdate = ReadTime(new AsnReader(await der.ReadAsync(MaxFieldLength, end, cancellationToken), AsnEncodingRules.DER));
        if (await der.PeekTagAsync(end, cancellationToken) is UtcTime or GeneralizedTime)
        {
            // The next update, which is ignored: the list is checked once a day.
            await der.ReadAsync(MaxFieldLength, end, cancellationToken);
        }

        if (await der.PeekTagAsync(end, cancellationToken) == Sequence)
        {
            var entriesEnd = await der.EnterAsync(Sequence, end, cancellationToken);
            while (der.Position < entriesEnd)
            {
                if (!der.TryRead(MaxFieldLength, entriesEnd, out var entry))
                {
                    entry = await der.ReadAsync(MaxFieldLength, entriesEnd, cancellationToken);
                }

                search.Look(entry.Span, thisUpdate);
            }
        }

        var number = await der.PeekTagAsync(end, cancellationToken) == Extensions
            ? RevocationListExtensions.Read(
                new AsnReader(await der.ReadAsync(DerStream.MaxElementLength, end, cancellationToken), AsnEncodingRules.DER)
                    .ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true)).ReadSequence(),
                source)
            : null;
        return der.Position == end
            ? new RevocationList(number, thisUpdate, search.Found)
            : throw new AsnContentException("It has more fields than are known.");
    }

    private static DateTimeOffset ReadTime(AsnReader reader)
        => reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    /// <summary>Searches for serial numbers, millions of times, without allocations.</summary>
    private sealed class Search
    {
        private readonly HashSet<ReadOnlyMemory<byte>>.AlternateLookup<ReadOnlySpan<byte>> _wanted;
        private readonly Dictionary<string, RevokedEntry> _found = new(StringComparer.Ordinal);

        public Search(IReadOnlySet<string> serialNumbers)
            => _wanted = serialNumbers.Select(s => (ReadOnlyMemory<byte>)Convert.FromHexString(s)).ToHashSet(BytesComparer.Instance)
                .GetAlternateLookup<ReadOnlySpan<byte>>();

        public IReadOnlyList<RevokedEntry> Found => [.. _found.Values];

        public void Look(ReadOnlySpan<byte> entry, DateTimeOffset thisUpdate)
        {
            AsnDecoder.ReadSequence(entry, AsnEncodingRules.DER, out var offset, out var length, out _);
            var fields = entry.Slice(offset, length);
            var serial = AsnDecoder.ReadIntegerBytes(fields, AsnEncodingRules.DER, out var read);
            if (_wanted.Contains(serial))
            {
                var number = Convert.ToHexString(serial);
                var (at, reason) = ReadDetails(fields[read..].ToArray());
                _found.TryAdd(number, new RevokedEntry(number, at ?? thisUpdate, reason));
            }
        }

        /// <summary>A certificate that is on the list is revoked, even if the rest of its entry is invalid.</summary>
        private static (DateTimeOffset? At, RevocationReason? Reason) ReadDetails(ReadOnlyMemory<byte> details)
        {
            DateTimeOffset? at = null;
            try
            {
                var reader = new AsnReader(details, AsnEncodingRules.DER);
                at = ReadTime(reader);
                return (at, reader.HasData ? ReadReason(reader.ReadSequence()) : null);
            }
            catch (AsnContentException)
            {
                return (at, null);
            }
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

                var code = new AsnReader(extension.ReadOctetString(), AsnEncodingRules.DER).ReadEnumeratedBytes().Span;
                return code is [<= 10 and not 7] ? (RevocationReason)code[0] : null;
            }

            return null;
        }
    }

    /// <summary>
    /// Reads the extensions of a revocation list: its number, and the certificates that it covers (RFC 5280 sections 5.2.3 and 5.2.5).
    /// </summary>
    private static class RevocationListExtensions
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
}

/// <summary>Verifies the signature of a revocation list. Pure.</summary>
internal static class RevocationListSignature
{
    /// <summary>Returns the hash algorithm of a signature algorithm; <see langword="null"/> if it is unknown.</summary>
    public static HashAlgorithmName? HashOf(string algorithm) => algorithm switch
    {
        "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
        "1.2.840.10045.4.3.3" or "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
        "1.2.840.10045.4.3.4" or "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
        _ => null,
    };

    /// <exception cref="CryptographicException">The key of the issuer cannot be used.</exception>
    public static bool IsValid(X509Certificate2 issuer, string algorithm, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        if (algorithm.StartsWith("1.2.840.10045.", StringComparison.Ordinal))
        {
            using var ecdsa = issuer.GetECDsaPublicKey();
            return ecdsa?.VerifyHash(hash, signature, DSASignatureFormat.Rfc3279DerSequence) == true;
        }

        using var rsa = issuer.GetRSAPublicKey();
        return HashOf(algorithm) is { } name && rsa?.VerifyHash(hash, signature, name, RSASignaturePadding.Pkcs1) == true;
    }
}
