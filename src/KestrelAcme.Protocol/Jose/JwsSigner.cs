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

/// <summary>Signs with ES256 or ES384 (RFC 7518 section 3.4).</summary>
internal sealed class EcJwsSigner : JwsSigner
{
    private readonly ECDsa _key;
    private readonly ECPoint _point;
    private readonly string _curve;
    private readonly HashAlgorithmName _hash;

    public EcJwsSigner(ECDsa key)
    {
        (_curve, Algorithm, _hash) = key.KeySize switch
        {
            256 => ("P-256", "ES256", HashAlgorithmName.SHA256),
            384 => ("P-384", "ES384", HashAlgorithmName.SHA384),
            var bits => throw new ArgumentException(
                $"An ECDSA key of {bits} bits is not supported for signing; use P-256 or P-384.", nameof(key)),
        };
        var parameters = key.ExportParameters(includePrivateParameters: false);
        if (!IsNistCurve(parameters.Curve.Oid.Value, key.KeySize))
        {
            throw new ArgumentException($"The curve is not {_curve}; use P-256 or P-384.", nameof(key));
        }

        _key = key;
        _point = parameters.Q;
    }

    public override string Algorithm { get; }

    public override void WriteJwk(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("crv", _curve);
        writer.WriteString("kty", "EC");
        writer.WriteString("x", Base64Url.EncodeToString(_point.X));
        writer.WriteString("y", Base64Url.EncodeToString(_point.Y));
        writer.WriteEndObject();
    }

    protected override byte[] SignCore(ReadOnlySpan<byte> data) =>
        _key.SignData(data, _hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    // secp256k1 and brainpool curves have 256 bits, too. Platforms that name curves without an OID have only the NIST curves of
    // these sizes.
    private static bool IsNistCurve(string? oid, int bits) =>
        string.IsNullOrEmpty(oid) || oid == (bits == 256 ? "1.2.840.10045.3.1.7" : "1.3.132.0.34");
}

/// <summary>Signs with RS256 (RFC 7518 section 3.3).</summary>
internal sealed class RsaJwsSigner : JwsSigner
{
    private const int MinKeySize = 2048;

    private readonly RSA _key;
    private readonly RSAParameters _parameters;

    public RsaJwsSigner(RSA key)
    {
        if (key.KeySize < MinKeySize)
        {
            throw new ArgumentException(
                $"An RSA key of {key.KeySize} bits is too short to sign with; use {MinKeySize} bits or more.", nameof(key));
        }

        _key = key;
        _parameters = key.ExportParameters(includePrivateParameters: false);
    }

    public override string Algorithm => "RS256";

    public override void WriteJwk(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("e", Unsigned(_parameters.Exponent));
        writer.WriteString("kty", "RSA");
        writer.WriteString("n", Unsigned(_parameters.Modulus));
        writer.WriteEndObject();
    }

    protected override byte[] SignCore(ReadOnlySpan<byte> data) => _key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    // RFC 7518 section 6.3.1.1: without leading zero octets.
    private static string Unsigned(ReadOnlySpan<byte> value) => Base64Url.EncodeToString(value.TrimStart((byte)0));
}
