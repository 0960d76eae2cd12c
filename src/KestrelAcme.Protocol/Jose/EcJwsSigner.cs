using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace KestrelAcme.Protocol.Jose;

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
