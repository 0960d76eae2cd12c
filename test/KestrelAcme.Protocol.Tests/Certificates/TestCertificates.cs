using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Protocol.Tests.Certificates;

/// <summary>Certificates for tests.</summary>
internal static class TestCertificates
{
    /// <summary>The certificate of RFC 9773 appendix A.</summary>
    public static X509Certificate2 Rfc9773 => X509Certificate2.CreateFromPem("""
        -----BEGIN CERTIFICATE-----
        MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
        cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
        BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
        7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
        qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
        yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
        +FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
        -----END CERTIFICATE-----
        """);

    /// <summary>A certificate issued by one name for another; the signature is irrelevant.</summary>
    public static byte[] IssuedBy(string issuer, string subject = "leaf")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256);
        using var certificate = request.Create(
            new X500DistinguishedName($"CN={issuer}"), X509SignatureGenerator.CreateForECDsa(key), now, now.AddDays(1), [1, 2, 3]);
        return certificate.RawData;
    }

    public static string Pem(params byte[][] certificates) =>
        string.Join("\n", certificates.Select(der => PemEncoding.WriteString("CERTIFICATE", der))) + "\n";
}
