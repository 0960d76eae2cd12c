using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace KestrelAcme.Protocol.Jose;

/// <summary>Signs for JWS (RFC 7515) with one key, and knows its public half as a JWK (RFC 7517).</summary>
internal abstract class JwsSigner
{
    private readonly Lock _gate = new();

    /// <summary>The <c>alg</c> of RFC 7518.</summary>
    public abstract string Algorithm { get; }

    /// <summary>The thumbprint of RFC 7638, base64url.</summary>
    public string Thumbprint => field ??= Base64Url.EncodeToString(SHA256.HashData(Jwk()));

    /// <summary>Makes a signer that does not own the key.</summary>
    public static JwsSigner For(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ec => new EcJwsSigner(ec),
        RSA rsa => new RsaJwsSigner(rsa),
        _ => throw new ArgumentException($"A key of type {key.GetType().Name} cannot sign for ACME; use ECDSA P-256 or P-384, or RSA.", nameof(key)),
    };

    /// <summary>The required members of the public key in lexicographic order, without white space: what RFC 7638 hashes is a good JWK too.</summary>
    public byte[] Jwk()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            WriteJwk(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        // The framework does not promise that one key object may sign on two threads at once.
        lock (_gate)
        {
            return SignCore(data);
        }
    }

    public abstract void WriteJwk(Utf8JsonWriter writer);

    protected abstract byte[] SignCore(ReadOnlySpan<byte> data);
}
