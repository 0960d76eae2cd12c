using System.Security.Cryptography;

namespace KestrelAcme.DnsClient.Updates;

/// <summary>A secret shared with a name server (RFC 8945). Immutable; the secret cannot be read back.</summary>
public sealed class TsigKey
{
    private readonly byte[] _secret;

    /// <summary>Creates a key.</summary>
    /// <param name="name">The key's name, as the server knows it.</param>
    /// <param name="algorithm">The algorithm, as the server knows it.</param>
    /// <param name="secret">The secret in base64.</param>
    /// <exception cref="FormatException">The secret is not base64, or empty. The message does not quote it.</exception>
    public TsigKey(DnsName name, TsigAlgorithm algorithm, string secret)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(secret);
        if (!Enum.IsDefined(algorithm))
        {
            throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "The algorithm is not supported.");
        }

        Name = name;
        Algorithm = algorithm;
        byte[] octets = new byte[secret.Length];
        _secret = Convert.TryFromBase64String(secret, octets, out int length) && length > 0
            ? octets[..length]
            : throw new FormatException($"The secret of TSIG key {name} is not base64.");
        CryptographicOperations.ZeroMemory(octets);
    }

    /// <summary>The key's name.</summary>
    public DnsName Name { get; }

    /// <summary>The key's algorithm.</summary>
    public TsigAlgorithm Algorithm { get; }

    internal DnsName AlgorithmName => DnsName.Parse(AlgorithmText);

    private string AlgorithmText => Algorithm == TsigAlgorithm.HmacSha512 ? "hmac-sha512" : "hmac-sha256";

    /// <summary>Returns the key's name and algorithm; never the secret.</summary>
    public override string ToString() => $"{Name} ({AlgorithmText})";

    internal IncrementalHash CreateHmac() => IncrementalHash.CreateHMAC(
        Algorithm == TsigAlgorithm.HmacSha512 ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256, _secret);
}

/// <summary>The algorithm of a transaction signature (RFC 8945 section 6).</summary>
public enum TsigAlgorithm
{
    /// <summary>hmac-sha256, which every server must support.</summary>
    HmacSha256,

    /// <summary>hmac-sha512.</summary>
    HmacSha512,
}
