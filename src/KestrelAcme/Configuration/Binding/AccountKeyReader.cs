using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Reads the key of an account from a file: PEM, or a JSON web key (RFC 7517). No message quotes the key.</summary>
internal static class AccountKeyReader
{
    private const int LeastRsaBits = 2048;

    /// <summary>Returns the key, or <see langword="null"/> if there is none, or after a problem.</summary>
    public static GivenAccountKey? Read(string? path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        if (PathRules.Resolve(path, key, facts, problems, isSecret: true) is not { } file
            || FileRules.ReadSecret(file, key, facts, problems) is not { } text)
        {
            return null;
        }

        try
        {
            using var read = text.AsSpan().TrimStart() is ['{', ..] ? FromJwk(text) : FromPem(text);
            if (read is ECDsa { KeySize: 256 or 384 } or RSA { KeySize: >= LeastRsaBits })
            {
                return new GivenAccountKey(read.ExportPkcs8PrivateKeyPem());
            }
        }
        catch (Exception exception) when (exception
            is CryptographicException or ArgumentException or FormatException or JsonException
                or PlatformNotSupportedException)
        {
            // The message could quote the key.
        }

        problems.Add(
            key, null, "names a file that holds no usable account key (its content is not shown, because it is a secret)",
            $"Write the path of a private key without a password in PEM, or of a JSON web key: ECDSA with P-256 or P-384, or RSA with at "
            + $"least {LeastRsaBits} bits");
        return null;
    }

    // A label of PKCS #8 does not say which kind of key it is.
    private static AsymmetricAlgorithm FromPem(string pem)
    {
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportFromPem(pem);
            return ecdsa;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            ecdsa.Dispose();
            var rsa = RSA.Create();
            rsa.ImportFromPem(pem);
            return rsa;
        }
    }

    private static AsymmetricAlgorithm FromJwk(string json)
    {
        using var document = JsonDocument.Parse(json);
        return JsonWebKey.TryRead(document.RootElement) ?? throw new FormatException();
    }
}
