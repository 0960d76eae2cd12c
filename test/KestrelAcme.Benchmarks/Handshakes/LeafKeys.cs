using System.Security.Cryptography;

namespace KestrelAcme.Benchmarks.Handshakes;

/// <summary>Keys for the leaves that are compared.</summary>
internal sealed class LeafKeys(Func<int, AsymmetricAlgorithm> key)
{
    // Making an RSA key takes a good part of a second, and what a handshake costs does not depend on whose it is.
    private const int RsaKeys = 8;

    /// <summary>A P-256 key for each name.</summary>
    public static LeafKeys P256 { get; } = new(_ => ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>RSA keys of 2048 bits, in turn.</summary>
    public static LeafKeys Rsa2048()
    {
        var keys = Enumerable.Range(0, RsaKeys).Select(_ => RSA.Create(2048)).ToArray();
        return new LeafKeys(index => keys[index % RsaKeys]);
    }

    /// <summary>The key of a name.</summary>
    public AsymmetricAlgorithm For(int index) => key(index);
}
