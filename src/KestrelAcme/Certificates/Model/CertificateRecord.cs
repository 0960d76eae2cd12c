using System.Security.Cryptography;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Model;

/// <summary>A stored certificate: chain, private key and metadata, in one atomic value.</summary>
/// <param name="Chain">The certificates in DER, the leaf first.</param>
/// <param name="PrivateKey">The key of the leaf, as PKCS #8 in DER.</param>
/// <param name="Metadata">The metadata.</param>
internal sealed record CertificateRecord(
    IReadOnlyList<ReadOnlyMemory<byte>> Chain, ReadOnlyMemory<byte> PrivateKey, CertificateMetadata Metadata)
{
    /// <summary>
    /// The damage of the stored value, if only the chain and the key could be read and the rest was rebuilt; otherwise
    /// <see langword="null"/>. Not stored.
    /// </summary>
    public string? Repaired { get; init; }

    public override string ToString() => $"certificate for {string.Join(", ", Metadata.Names)}";
}

/// <summary>The metadata that is stored with the chain and key of a certificate, in the same file.</summary>
/// <remarks>
/// Tens of thousands of these are in memory at once. Therefore lists have their exact size, and URLs that are not shared are kept as text.
/// </remarks>
internal sealed record CertificateMetadata
{
    /// <summary>A placeholder for a URL that was lost.</summary>
    public static Uri UnknownUrl { get; } = new("unknown:lost");

    public int Version { get; init; } = 1;

    public required string[] Names { get; init; }

    public required string KeyAlgorithm { get; init; }

    /// <summary>The directory URL of the CA that issued it.</summary>
    public required Uri DirectoryUrl { get; init; }

    public required Uri AccountUrl { get; init; }

    /// <summary>Kept as text, as is the next one: no two certificates share it, and it is only information.</summary>
    public string? OrderUrl { get; init; }

    public string? CertificateUrl { get; init; }

    public string? Profile { get; init; }

    public required DateTimeOffset ObtainedAt { get; init; }

    /// <summary>A random number from 0 to 1, drawn once, so that the time of the renewal does not move.</summary>
    public required double Jitter { get; init; }
}

/// <summary>A stored value cannot be decoded. The message continues "the value is damaged: ...".</summary>
internal sealed class DamagedValueException(
    string message, Exception? innerException = null) : Exception(QuotedText.Of(message), innerException);

/// <summary>What is stored of a certificate.</summary>
internal sealed record StoredCertificate(CertificateRecord? Certificate, CertificateStateRecord? State);

/// <summary>Generates and reads the keys of certificates.</summary>
internal static class CertificateKeys
{
    /// <summary>Generates a key.</summary>
    /// <returns>The key as PKCS #8 in DER.</returns>
    public static byte[] Generate(KeyAlgorithm algorithm)
    {
        using AsymmetricAlgorithm key = algorithm switch
        {
            KeyAlgorithm.EcdsaP256 => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            KeyAlgorithm.EcdsaP384 => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            KeyAlgorithm.Rsa2048 => RSA.Create(2048),
            KeyAlgorithm.Rsa3072 => RSA.Create(3072),
            KeyAlgorithm.Rsa4096 => RSA.Create(4096),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Unknown key algorithm."),
        };
        return key.ExportPkcs8PrivateKey();
    }

    /// <exception cref="CryptographicException">The bytes are not a key.</exception>
    public static AsymmetricAlgorithm Read(string algorithm, ReadOnlySpan<byte> pkcs8)
    {
        AsymmetricAlgorithm key = algorithm.StartsWith("Rsa", StringComparison.Ordinal) ? RSA.Create() : ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return key;
        }
        catch (PlatformNotSupportedException exception)
        {
            // .NET throws this for unknown curves. For stored data, that means a key that cannot be read.
            key.Dispose();
            throw new CryptographicException("The key is of an unknown kind.", exception);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}
