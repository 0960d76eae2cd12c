using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace KestrelAcme.Protocol.Jose;

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
