using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Protocol.Accounts;

namespace KestrelAcme.Certificates.Import;

/// <summary>Reads private keys in the forms of other clients. Pure. No exception and no message has anything of a key.</summary>
internal static class ImportedKeys
{
    private static readonly string[] DerLabels = [PemDocument.PrivateKeyLabel, "EC PRIVATE KEY", "RSA PRIVATE KEY"];

    /// <summary>Reads a certificate's key in PEM.</summary>
    /// <returns>The key as PKCS #8 in DER; <see langword="null"/> if there is not exactly one that can be read.</returns>
    public static byte[]? ReadPem(ReadOnlySpan<byte> text)
    {
        var pem = Encoding.UTF8.GetString(StoredText.Normalize(text));
        return Import(ECDsa.Create(), pem) ?? Import(RSA.Create(), pem);
    }

    /// <summary>Reads an account's key in PEM, in any of its forms.</summary>
    /// <returns>The key as PKCS #8 in PEM; <see langword="null"/> if it cannot be used for an account.</returns>
    public static string? ReadAccountKey(string? pem)
    {
        if (pem is null)
        {
            return null;
        }

        try
        {
            using var key = AccountKey.FromPem(pem);
            return key.ExportPkcs8Pem();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Converts a key in DER to PEM: PKCS #8, or the older EC and RSA formats.</summary>
    /// <returns><see langword="null"/> if it is not a key for an account.</returns>
    public static string? PemOfDer(string? base64)
    {
        var der = new byte[base64?.Length ?? 0];
        return base64 is not null && Convert.TryFromBase64String(base64, der, out var length)
            ? Array.ConvertAll(DerLabels, label => ReadAccountKey(PemEncoding.WriteString(label, der.AsSpan(0, length))))
                .FirstOrDefault(pem => pem is not null)
            : null;
    }

    /// <summary>Converts a private key as a JWK (RFC 7517) to PEM.</summary>
    /// <returns><see langword="null"/> if it is not a private key on P-256 or P-384, or with RSA.</returns>
    public static string? PemOfJwk(JsonElement jwk)
    {
        using var key = JsonWebKey.TryRead(jwk);
        return key?.ExportPkcs8PrivateKeyPem();
    }

    /// <summary>Reads a PFX file.</summary>
    /// <returns>The certificates in DER, and the key as PKCS #8 in DER; <see langword="null"/> if it has no key.</returns>
    /// <exception cref="CryptographicException">It cannot be read, or not with this password.</exception>
    public static (List<ReadOnlyMemory<byte>> Certificates, byte[]? Key) ReadPfx(byte[] content, string? password)
    {
        // Elsewhere the system keeps keys in files of its own.
        var flags = X509KeyStorageFlags.Exportable
            | (OperatingSystem.IsLinux() ? X509KeyStorageFlags.EphemeralKeySet : X509KeyStorageFlags.DefaultKeySet);
        var certificates = new List<ReadOnlyMemory<byte>>();
        byte[]? key = null;
        foreach (var certificate in X509CertificateLoader.LoadPkcs12Collection(content, password, flags))
        {
            using (certificate)
            {
                certificates.Add(certificate.RawData);
                using AsymmetricAlgorithm? found = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey();
                key ??= found?.ExportPkcs8PrivateKey();
            }
        }

        return (certificates, key);
    }

    /// <summary>Returns the SubjectPublicKeyInfo of a key.</summary>
    /// <exception cref="CryptographicException">It cannot be read.</exception>
    public static byte[] PublicKeyInfo(byte[] pkcs8)
    {
        using AsymmetricAlgorithm key = TryRead(ECDsa.Create(), pkcs8) ?? TryRead(RSA.Create(), pkcs8)
            ?? throw new CryptographicException("The private key cannot be read.");
        return key.ExportSubjectPublicKeyInfo();
    }

    /// <summary>Returns an HTTP or HTTPS URL of a JSON object; <see langword="null"/> if it is missing.</summary>
    public static Uri? Url(JsonElement json, string property) => UrlOf(ForeignJson.Text(json, property));

    /// <summary>Returns an HTTP or HTTPS URL; <see langword="null"/> if the text is none.</summary>
    public static Uri? UrlOf(string? text)
        => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : null;

    private static AsymmetricAlgorithm? TryRead(AsymmetricAlgorithm key, byte[] pkcs8)
    {
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return key;
        }
        catch (Exception exception) when (exception is CryptographicException or PlatformNotSupportedException)
        {
            key.Dispose();
            return null;
        }
    }

    private static byte[]? Import(AsymmetricAlgorithm key, string pem)
    {
        using (key)
        {
            try
            {
                key.ImportFromPem(pem);
                return key.ExportPkcs8PrivateKey();
            }
            catch (Exception exception) when (exception is CryptographicException or ArgumentException or PlatformNotSupportedException)
            {
                return null;
            }
        }
    }
}
