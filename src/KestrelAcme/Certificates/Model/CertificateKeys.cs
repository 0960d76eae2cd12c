using System.Security.Cryptography;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Model;

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
