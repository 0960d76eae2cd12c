using System.Formats.Asn1;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Puts the certificates of a download in order, however they were sent: the leaf is the one with the key of the order, and each
/// certificate is issued by the next. Duplicates, certificates that do not belong to the chain, and a root at its end are left out. Pure.
/// </summary>
/// <param name="Certificates">The chain in DER, the leaf first.</param>
/// <param name="Root">The root that the last certificate was issued by, if the download held it.</param>
internal sealed record IssuedChain(IReadOnlyList<ReadOnlyMemory<byte>> Certificates, ReadOnlyMemory<byte>? Root)
{
    /// <summary>Whether the download held the root that the last certificate was issued by.</summary>
    public bool IsRootLeftOut => Root is not null;

    /// <summary>
    /// What is stored: the chain, and the root if it issued the leaf itself. Its key is needed to check revocation lists. It is not served.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Stored
        => Certificates.Count == 1 && Root is { } root ? [Certificates[0], root] : Certificates;

    private static ReadOnlySpan<byte> AuthorityKeyIdentifier => [0x55, 0x1D, 0x23];

    private static ReadOnlySpan<byte> SubjectKeyIdentifier => [0x55, 0x1D, 0x0E];

    /// <summary>Arranges a download.</summary>
    /// <param name="sent">The certificates as the CA sent them.</param>
    /// <param name="publicKeyInfo">The key of the order, as a SubjectPublicKeyInfo.</param>
    /// <returns><see langword="null"/> if no certificate is for this key.</returns>
    public static IssuedChain? Arrange(IReadOnlyList<ReadOnlyMemory<byte>> sent, ReadOnlySpan<byte> publicKeyInfo)
    {
        var rest = Distinct(sent);
        if (FindLeaf(rest, publicKeyInfo) is not { } leaf)
        {
            return null;
        }

        rest.Remove(leaf);
        List<ReadOnlyMemory<byte>> chain = [leaf];
        while (FindIssuer(rest, chain[^1]) is { } issuer)
        {
            if (CertificateSnapshot.IsSelfIssued(issuer))
            {
                return new IssuedChain(chain, issuer);
            }

            rest.Remove(issuer);
            chain.Add(issuer);
        }

        return new IssuedChain(chain, Root: null);
    }

    /// <summary>
    /// Chooses one of the offered chains, the default one first. Chains for another certificate than that of the default one are ignored.
    /// </summary>
    /// <returns><see langword="null"/> if the default chain has no certificate for the key of the order.</returns>
    public static IssuedChain? Choose(IReadOnlyList<CertificateChain> offered, string? preferredIssuer, ReadOnlySpan<byte> publicKeyInfo)
    {
        if (Arrange(offered[0].Certificates, publicKeyInfo) is not { } first)
        {
            return null;
        }

        var arranged = new List<(CertificateChain Chain, IssuedChain Arranged)>(offered.Count);
        foreach (var chain in offered)
        {
            var other = Arrange(chain.Certificates, publicKeyInfo);
            if (other is not null && other.Certificates[0].Span.SequenceEqual(first.Certificates[0].Span))
            {
                arranged.Add((chain with { Certificates = other.Certificates }, other));
            }
        }

        var chosen = ChainSelector.Select([.. arranged.Select(a => a.Chain)], preferredIssuer);
        return arranged.Find(a => ReferenceEquals(a.Chain, chosen)).Arranged;
    }

    private static List<ReadOnlyMemory<byte>> Distinct(IReadOnlyList<ReadOnlyMemory<byte>> sent)
    {
        var distinct = new List<ReadOnlyMemory<byte>>(sent.Count);
        foreach (var certificate in sent)
        {
            if (IsReadable(certificate) && !distinct.Exists(known => known.Span.SequenceEqual(certificate.Span)))
            {
                distinct.Add(certificate);
            }
        }

        return distinct;
    }

    // The newest, because a reused key is also that of earlier certificates.
    private static ReadOnlyMemory<byte>? FindLeaf(List<ReadOnlyMemory<byte>> certificates, ReadOnlySpan<byte> publicKeyInfo)
    {
        ReadOnlyMemory<byte>? found = null;
        var newest = DateTimeOffset.MinValue;
        foreach (var certificate in certificates)
        {
            var shape = DerCertificate.Read(certificate.Span);
            var begin = shape.ReadValidity().NotBefore;
            if ((found is null || begin > newest) && IsSameKey(shape.PublicKeyInfo, publicKeyInfo))
            {
                (found, newest) = (certificate, begin);
            }
        }

        return found;
    }

    private static bool IsSameKey(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        var first = DerPublicKey.OfCertificate(one);
        var second = DerPublicKey.OfCertificate(other);
        return first.Kind == second.Kind && first.Kind != KeyKinds.None && first.Value.SequenceEqual(second.Value);
    }

    // A root may come with a certificate of the same name and key that another root has signed: that one leads further.
    private static ReadOnlyMemory<byte>? FindIssuer(List<ReadOnlyMemory<byte>> certificates, ReadOnlyMemory<byte> issued)
    {
        ReadOnlyMemory<byte>? root = null;
        var subject = DerCertificate.Read(issued.Span);
        foreach (var certificate in certificates)
        {
            var candidate = DerCertificate.Read(certificate.Span);
            if (!DerCertificate.IsSameName(candidate.Subject, subject.Issuer) || !MayHaveSigned(candidate, subject))
            {
                continue;
            }

            if (!candidate.Issuer.SequenceEqual(candidate.Subject))
            {
                return certificate;
            }

            root ??= certificate;
        }

        return root;
    }

    // Two CAs with the same name differ by their keys.
    private static bool MayHaveSigned(DerCertificate issuer, DerCertificate issued)
    {
        var key = issuer.FindExtension(SubjectKeyIdentifier);
        var named = issued.FindExtension(AuthorityKeyIdentifier);
        if (key.IsEmpty || named.IsEmpty)
        {
            return true;
        }

        var fields = DerFields.Enter(named);
        if (fields.IsEmpty)
        {
            return true;
        }

        var first = fields.Next(out var tag);
        return tag != new Asn1Tag(TagClass.ContextSpecific, 0) || DerFields.Content(first).SequenceEqual(DerFields.Content(key));
    }

    private static bool IsReadable(ReadOnlyMemory<byte> certificate)
    {
        try
        {
            var shape = DerCertificate.Read(certificate.Span);
            _ = shape.ReadValidity();
            _ = DerPublicKey.OfCertificate(shape.PublicKeyInfo);
            _ = MayHaveSigned(shape, shape);
            return true;
        }
        catch (Exception exception) when (exception is AsnContentException or ArgumentException)
        {
            return false;
        }
    }
}
