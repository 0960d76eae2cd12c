using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace KestrelAcme.LocalAuthority.Tests.Client;

/// <summary>A key that signs JWS, independent of the CA's code.</summary>
internal sealed class TestKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private TestKey(AsymmetricAlgorithm key, string algorithm) => (_key, Algorithm) = (key, algorithm);

    public string Algorithm { get; }

    public AsymmetricAlgorithm Key => _key;

    public static TestKey P256() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), "ES256");

    public static TestKey P384() => new(ECDsa.Create(ECCurve.NamedCurves.nistP384), "ES384");

    public static TestKey Rsa(int bits = 2048) => new(RSA.Create(bits), "RS256");

    public static TestKey Of(ECDsa key) => new(key, "ES256");

    public static TestKey ByAlgorithm(string algorithm) => algorithm switch
    {
        "ES256" => P256(),
        "ES384" => P384(),
        _ => Rsa(),
    };

    public JsonObject Jwk()
    {
        if (_key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(false);
            return new JsonObject { ["kty"] = "RSA", ["n"] = Encode(parameters.Modulus!), ["e"] = Encode(parameters.Exponent!) };
        }

        var point = ((ECDsa)_key).ExportParameters(false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = Algorithm == "ES384" ? "P-384" : "P-256",
            ["x"] = Encode(point.X!),
            ["y"] = Encode(point.Y!),
        };
    }

    public string Thumbprint()
    {
        // RFC 7638: the required members in lexical order.
        var sorted = new JsonObject(
            Jwk().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
        return Encode(SHA256.HashData(Encoding.UTF8.GetBytes(sorted.ToJsonString())));
    }

    public byte[] Sign(byte[] data) => _key is RSA rsa
        ? rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : ((ECDsa)_key).SignData(data, Algorithm == "ES384" ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);

    /// <summary>A flattened JWS.</summary>
    public JsonObject Jws(JsonObject header, string payload)
    {
        var protectedPart = Encode(Encoding.UTF8.GetBytes(header.ToJsonString()));
        var payloadPart = Encode(Encoding.UTF8.GetBytes(payload));
        return new JsonObject
        {
            ["protected"] = protectedPart,
            ["payload"] = payloadPart,
            ["signature"] = Encode(Sign(Encoding.ASCII.GetBytes(protectedPart + "." + payloadPart))),
        };
    }

    public void Dispose() => _key.Dispose();

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
