using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace KestrelAcme.Protocol.Jose;

/// <summary>Signs JWS (RFC 7515) with one key and writes its public part as a JWK (RFC 7517).</summary>
internal abstract class JwsSigner
{
    private readonly Lock _gate = new();

    /// <summary>The <c>alg</c> value (RFC 7518).</summary>
    public abstract string Algorithm { get; }

    /// <summary>The base64url thumbprint (RFC 7638).</summary>
    public string Thumbprint => field ??= Base64Url.EncodeToString(SHA256.HashData(Jwk()));

    /// <summary>Creates a signer. It does not own the key.</summary>
    public static JwsSigner For(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ec => new EcJwsSigner(ec),
        RSA rsa => new RsaJwsSigner(rsa),
        _ => throw new ArgumentException(
            $"A key of type {key.GetType().Name} cannot sign for ACME; use ECDSA P-256 or P-384, or RSA.", nameof(key)),
    };

    /// <summary>
    /// The required members of the public key in lexicographic order, without white space: both the input of RFC 7638
    /// and a valid JWK.
    /// </summary>
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
        // .NET does not promise that a key object can sign on two threads at once.
        lock (_gate)
        {
            return SignCore(data);
        }
    }

    public abstract void WriteJwk(Utf8JsonWriter writer);

    protected abstract byte[] SignCore(ReadOnlySpan<byte> data);
}

/// <summary>The signer of a request: a key, and its account if the server already knows it.</summary>
internal sealed record JwsSender(JwsSigner Signer, Uri? AccountUrl);
