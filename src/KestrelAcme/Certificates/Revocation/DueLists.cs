using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Groups certificates by their revocation list. Of a hundred thousand certificates, only those whose list is due are sorted; the others
/// cost one URL check each.
/// </summary>
internal static class DueLists
{
    /// <summary>Returns the URLs of the revocation lists of certificates.</summary>
    public static HashSet<Uri> Urls(IEnumerable<ManagedCertificate> certificates, DateTimeOffset now)
    {
        var urls = new HashSet<Uri>();
        Uri? last = null;
        foreach (var certificate in certificates)
        {
            if (UrlOf(certificate.Current, now) is { } url && !ReferenceEquals(url, last))
            {
                urls.Add(last = url);
            }
        }

        return urls;
    }

    /// <summary>
    /// Returns the certificates whose list is due, by list and by the key of the issuer. A key may have several certificates, but signs one
    /// list.
    /// </summary>
    public static IReadOnlyList<(RevocationListId List, IReadOnlyList<ManagedCertificate> Certificates)> Gather(
        IEnumerable<ManagedCertificate> certificates, IReadOnlySet<Uri> due, DateTimeOffset now)
    {
        var keys = new Dictionary<ReadOnlyMemory<byte>, string>(BytesComparer.Instance);
        return
        [
            .. certificates
                .Where(c => UrlOf(c.Current, now) is { } url && due.Contains(url))
                .GroupBy(c => new RevocationListId(c.Current!.RevocationListUrl!, KeyOf(c.Current.Record.Chain[1], keys)))
                .Select(g => (g.Key, (IReadOnlyList<ManagedCertificate>)[.. g])),
        ];
    }

    private static Uri? UrlOf(CertificateSnapshot? current, DateTimeOffset now)
        => current is { RevocationListUrl: { } url, Record.Chain.Count: > 1 } && current.NotAfter > now ? url : null;

    private static string KeyOf(ReadOnlyMemory<byte> issuer, Dictionary<ReadOnlyMemory<byte>, string> keys)
    {
        if (!keys.TryGetValue(issuer, out var key))
        {
            keys[issuer] = key = Convert.ToHexString(SHA256.HashData(PublicKeyOf(issuer.Span)));
        }

        return key;
    }

    private static byte[] PublicKeyOf(ReadOnlySpan<byte> issuer)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(issuer);
            return certificate.PublicKey.ExportSubjectPublicKeyInfo();
        }
        catch (CryptographicException)
        {
            // The check of the list reports what is wrong with it.
            return issuer.ToArray();
        }
    }
}
