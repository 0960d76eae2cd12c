using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Reads private keys as JSON web keys (RFC 7517). No exception has anything of a key.</summary>
internal static class JsonWebKey
{
    /// <returns><see langword="null"/> if it is not a private key on P-256 or P-384, or with RSA.</returns>
    public static AsymmetricAlgorithm? TryRead(JsonElement jwk)
    {
        try
        {
            return ForeignJson.Text(jwk, "kty") switch
            {
                "RSA" => ReadRsa(jwk),
                "EC" => ReadEc(jwk),
                _ => null,
            };
        }
        catch (Exception exception) when (exception
            is CryptographicException or FormatException or ArgumentException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    private static RSA ReadRsa(JsonElement jwk)
    {
        var modulus = Number(jwk, "n");
        var half = (modulus.Length + 1) / 2;
        return RSA.Create(new RSAParameters
        {
            Modulus = modulus,
            Exponent = Number(jwk, "e"),
            D = Number(jwk, "d", modulus.Length),
            P = Number(jwk, "p", half),
            Q = Number(jwk, "q", half),
            DP = Number(jwk, "dp", half),
            DQ = Number(jwk, "dq", half),
            InverseQ = Number(jwk, "qi", half),
        });
    }

    private static ECDsa? ReadEc(JsonElement jwk)
    {
        (ECCurve Curve, int Length)? named = ForeignJson.Text(jwk, "crv") switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            _ => null,
        };
        return named is not var (curve, length) ? null : ECDsa.Create(new ECParameters
        {
            Curve = curve,
            Q = new ECPoint { X = Number(jwk, "x", length), Y = Number(jwk, "y", length) },
            D = Number(jwk, "d", length),
        });
    }

    // Some clients omit leading zeros, and .NET needs the full length.
    private static byte[] Number(JsonElement jwk, string property, int length = 0)
    {
        var bytes = Base64Url.DecodeFromChars((ForeignJson.Text(jwk, property) ?? throw new FormatException()).TrimEnd('='));
        var significant = bytes.AsSpan().TrimStart((byte)0);
        if (length == 0)
        {
            return significant.ToArray();
        }

        var padded = new byte[length];
        significant.CopyTo(padded.AsSpan(Math.Max(0, length - significant.Length)));
        return padded;
    }
}

/// <summary>Reads JSON that other programs wrote.</summary>
internal static class ForeignJson
{
    /// <summary>Returns a text of an object; <see langword="null"/> if it is missing, is not a text, or is not valid.</summary>
    public static string? Text(JsonElement json, string property)
    {
        try
        {
            return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(property, out var value)
                && value.ValueKind == JsonValueKind.String
                    ? value.GetString()
                    : null;
        }
        catch (InvalidOperationException)
        {
            // Bytes that are not UTF-8, or an escape that is half a character.
            return null;
        }
    }
}
