using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>Converts a JWK to an <see cref="AccountKey"/>, or throws the problem with it.</summary>
internal static class JsonWebKeyReader
{
    private const int SmallestModulus = 2048;
    private const int LargestModulus = 4096;

    public static AccountKey Read(JsonWebKey jwk)
    {
        if (jwk.D is not null)
        {
            throw Problem.BadPublicKey("The JWK holds a private key.").ToException();
        }

        try
        {
            return jwk.Kty switch
            {
                "EC" => ReadEllipticCurve(jwk),
                "RSA" => ReadRsa(jwk),
                _ => throw Problem.BadPublicKey($"The key type '{jwk.Kty}' is not supported: use EC or RSA.").ToException(),
            };
        }
        catch (CryptographicException e)
        {
            throw Problem.BadPublicKey("The JWK is not a usable public key: " + e.Message).ToException();
        }
    }

    private static AccountKey ReadEllipticCurve(JsonWebKey jwk)
    {
        var (curve, size, algorithm) = jwk.Crv switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32, SignatureAlgorithms.ES256),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48, SignatureAlgorithms.ES384),
            _ => throw Problem.BadPublicKey($"The curve '{jwk.Crv}' is not supported: use P-256 or P-384.").ToException(),
        };
        var point = new ECPoint { X = Member(jwk.X, "x", size), Y = Member(jwk.Y, "y", size) };
        using var key = ECDsa.Create(new ECParameters { Curve = curve, Q = point });
        var thumbprint = Thumbprint($$"""{"crv":"{{jwk.Crv}}","kty":"EC","x":"{{jwk.X}}","y":"{{jwk.Y}}"}""");
        return new AccountKey(algorithm, key.ExportSubjectPublicKeyInfo(), thumbprint);
    }

    private static AccountKey ReadRsa(JsonWebKey jwk)
    {
        var parameters = new RSAParameters { Modulus = Member(jwk.N, "n"), Exponent = Member(jwk.E, "e") };
        using var key = RSA.Create(parameters);
        if (key.KeySize is < SmallestModulus or > LargestModulus)
        {
            throw Problem.BadPublicKey($"An RSA key of {key.KeySize} bits is not accepted: use 2048 to 4096.").ToException();
        }

        var thumbprint = Thumbprint($$"""{"e":"{{jwk.E}}","kty":"RSA","n":"{{jwk.N}}"}""");
        return new AccountKey(SignatureAlgorithms.RS256, key.ExportSubjectPublicKeyInfo(), thumbprint);
    }

    private static byte[] Member(string? text, string name, int? size = null)
    {
        if (!Base64UrlText.TryDecode(text, out var bytes) || bytes.Length == 0 || (size is { } expected && bytes.Length != expected))
        {
            throw Problem.BadPublicKey($"The JWK member '{name}' is missing or not base64url of the right length.").ToException();
        }

        return bytes;
    }

    // All members used here are base64url or a known curve name, so the canonical form of RFC 7638 needs no escaping.
    private static string Thumbprint(string canonical) => Base64UrlText.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
}

/// <summary>The public members of a JSON Web Key (RFC 7517) for account keys.</summary>
internal sealed record JsonWebKey
{
    public string? Kty { get; init; }

    public string? Crv { get; init; }

    public string? X { get; init; }

    public string? Y { get; init; }

    public string? N { get; init; }

    public string? E { get; init; }

    /// <summary>The private member: a client that sends it has disclosed its key.</summary>
    public string? D { get; init; }
}
