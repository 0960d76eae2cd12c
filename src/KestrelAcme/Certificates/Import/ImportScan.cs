using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// What the folder of another ACME client has for the configured names and CAs: certificates whose keys belong to them, accounts, and
/// problems. Not safe for concurrent use.
/// </summary>
/// <param name="import">The folder.</param>
/// <param name="authorities">The configured CAs. Accounts at others are not read.</param>
/// <param name="wanted">The names of the configured certificates. Others are not read further than their names.</param>
internal sealed class ImportScan(
    ImportSpecification import, IReadOnlyList<AuthoritySpecification> authorities, IReadOnlySet<string> wanted) : ImportFiles
{
    private const string Staging = "(STAGING)";

    public ImportSpecification Import => import;

    public IReadOnlyList<AuthoritySpecification> Authorities => authorities;

    /// <summary>The certificates for configured names, whether they may be used or not.</summary>
    public List<ImportedCertificate> Certificates { get; } = [];

    /// <summary>The accounts at configured CAs, the best one of each CA first.</summary>
    public List<ImportedAccount> Accounts { get; } = [];

    /// <summary>The number of certificates for names that are not configured.</summary>
    public int Foreign { get; private set; }

    /// <summary>
    /// Whether nothing of use was found, as before a volume is mounted, without permissions, or with a wrong password. A folder with
    /// certificates for other names was read well.
    /// </summary>
    public bool IsFruitless => Certificates.Count == 0 && Foreign == 0 && (Accounts.Count == 0 || Problems.Count > 0);

    /// <summary>Adds a certificate from two PEM files, if it is for a configured name.</summary>
    public void AddCertificate(string chainPath, string keyPath, Uri? directoryUrl, Uri? accountUrl = null)
    {
        if (ReadRequired(chainPath) is not { } text)
        {
            return;
        }

        var pem = StoredText.Normalize(text);
        List<ReadOnlyMemory<byte>> sent =
        [
            .. PemDocumentReader.ReadAny(pem).Where(b => b.Label == PemDocument.CertificateLabel)
                .Select(b => new ReadOnlyMemory<byte>(b.Content)),
        ];
        if (pem.Count("-----BEGIN CERTIFICATE-----"u8) > sent.Count)
        {
            Skip(chainPath, "a certificate in it is damaged or cut off", Restore);
        }
        else if (IsWanted(chainPath, sent) && ReadRequired(keyPath) is { } keyText)
        {
            if (ImportedKeys.ReadPem(keyText) is { } key)
            {
                AddCertificate(chainPath, sent, key, directoryUrl, accountUrl);
            }
            else
            {
                Skip(keyPath, "it does not hold one ECDSA or RSA private key in PEM without a password", Restore);
            }
        }
    }

    /// <summary>Whether a file has a certificate for a configured name. One that cannot be read is a problem.</summary>
    public bool IsWanted(string path, IReadOnlyList<ReadOnlyMemory<byte>> certificates)
    {
        if (certificates.Count == 0)
        {
            Skip(path, "it holds no certificate", Restore);
            return false;
        }

        foreach (var certificate in certificates)
        {
            try
            {
                if (SubjectNames.Read(DerCertificate.Read(certificate.Span)).Any(wanted.Contains))
                {
                    return true;
                }
            }
            catch (AsnContentException)
            {
                Skip(path, "it holds a certificate that cannot be read", Restore);
                return false;
            }
        }

        Foreign++;
        return false;
    }

    /// <summary>Adds a certificate and its key, as PKCS #8. The leaf is the newest certificate with this key.</summary>
    public void AddCertificate(
        string path, IReadOnlyList<ReadOnlyMemory<byte>> sent, byte[] key, Uri? directoryUrl, Uri? accountUrl = null)
    {
        try
        {
            if (IssuedChain.Arrange(sent, ImportedKeys.PublicKeyInfo(key)) is not { } chain)
            {
                Skip(path, "none of its certificates belongs to its private key", Restore);
                return;
            }

            var record = new CertificateRecord(chain.Stored, key, Describe(chain.Certificates[0], directoryUrl, accountUrl));
            var snapshot = CertificateSnapshot.Read(record);
            CertificateCheck.Check(snapshot.Material(path, record.Metadata.Names));
            Certificates.Add(new ImportedCertificate(path, snapshot));
        }
        catch (Exception exception) when (exception
            is InvalidCertificateException or DamagedValueException or AsnContentException or CryptographicException)
        {
            Skip(path, $"it cannot be used ({exception.Message.TrimEnd('.')})", Restore);
        }
    }

    /// <summary>Adds an account, if its key can be used.</summary>
    /// <param name="path">The file with the key.</param>
    /// <param name="directoryUrl">The directory of its CA.</param>
    /// <param name="keyPem">The key, in PEM; <see langword="null"/> if it could not be read.</param>
    /// <param name="url">The account URL; <see langword="null"/> to ask the CA for the account of the key.</param>
    public void AddAccount(string path, Uri directoryUrl, string? keyPem, Uri? url)
    {
        if (ImportedKeys.ReadAccountKey(keyPem) is { } pem)
        {
            Accounts.Add(new ImportedAccount(path, directoryUrl, pem, url));
        }
        else
        {
            Skip(path, "it does not hold an account key on P-256 or P-384, or with RSA", $"{Restore}, and an account is registered anew");
        }
    }

    private static CertificateMetadata Describe(ReadOnlyMemory<byte> certificate, Uri? directoryUrl, Uri? accountUrl)
    {
        var leaf = DerCertificate.Read(certificate.Span);
        var issuer = new X500DistinguishedName(leaf.Issuer).Name;
        var guess = issuer.Contains(Staging, StringComparison.Ordinal)
            ? WellKnownAuthorities.FindByName(WellKnownAuthorities.LetsEncryptStaging)?.DirectoryUrl
            : null;
        return new CertificateMetadata
        {
            Names = SubjectNames.Read(leaf),
            KeyAlgorithm = CertificateSalvage.AlgorithmOf(leaf),
            DirectoryUrl = guess ?? directoryUrl ?? CertificateMetadata.UnknownUrl,
            AccountUrl = accountUrl ?? CertificateMetadata.UnknownUrl,
            ObtainedAt = leaf.ReadValidity().NotBefore,

            // Until it is known for which certificate it is stored.
            Jitter = 0,
        };
    }
}

/// <summary>A certificate of another client, whose key belongs to it and whose chain is in order.</summary>
internal sealed record ImportedCertificate(string Path, CertificateSnapshot Snapshot);

/// <summary>An account of another client.</summary>
/// <param name="Path">The file with the key.</param>
/// <param name="DirectoryUrl">The directory of its CA.</param>
/// <param name="KeyPem">The key, as PKCS #8 in PEM.</param>
/// <param name="Url">The account URL; <see langword="null"/> if only the CA knows it.</param>
internal sealed record ImportedAccount(string Path, Uri DirectoryUrl, string KeyPem, Uri? Url)
{
    /// <summary>Returns the path, never the key.</summary>
    public override string ToString() => $"account in '{Path}'";
}
