using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using KestrelAcme.Testing;
using KestrelAcme.Tls;

namespace KestrelAcme.Tests.Certificates.Import;

/// <summary>
/// Writes certificates and accounts into folders of other clients. Those of Certbot and Caddy are as these programs from Debian write them;
/// the others follow the published sources of the clients.
/// </summary>
internal static class SampleImports
{
    public static string Pem(CertificateMaterial material)
        => string.Join('\n', material.Chain.Select(c => PemEncoding.WriteString("CERTIFICATE", c.Span))) + "\n";

    public static string KeyPem(ReadOnlyMemory<byte> key) => PemEncoding.WriteString("PRIVATE KEY", key.Span) + "\n";

    public static void WriteCertbot(TemporaryFolder folder, string lineage, CertificateMaterial material, Uri? server = null)
    {
        folder.Write($"archive/{lineage}/fullchain1.pem", Pem(material));
        folder.Write($"archive/{lineage}/privkey1.pem", KeyPem(material.PrivateKey));
        Directory.CreateDirectory(folder.Combine("live", lineage));
        foreach (var file in new[] { "fullchain", "privkey" })
        {
            File.CreateSymbolicLink(folder.Combine("live", lineage, $"{file}.pem"), $"../../archive/{lineage}/{file}1.pem");
        }

        folder.Write($"renewal/{lineage}.conf", $"version = 2.1.0\n[renewalparams]\naccount = 0a\nserver = {server}\nkey_type = ecdsa\n");
    }

    public static void WriteCertbotAccount(TemporaryFolder folder, Uri directory, string id, string jwk, Uri? url, string createdAt)
    {
        var path = $"accounts/{directory.Authority}{directory.AbsolutePath}/{id}";
        folder.Write($"{path}/private_key.json", jwk);
        folder.Write($"{path}/regr.json", JsonSerializer.Serialize(new { body = new { }, uri = url?.OriginalString }));
        folder.Write($"{path}/meta.json", JsonSerializer.Serialize(new { creation_dt = createdAt, creation_host = "localhost" }));
    }

    /// <summary>As CertMagic does.</summary>
    /// <param name="folder">The storage.</param>
    /// <param name="material">The certificate.</param>
    /// <param name="issuer">The folder of the issuer.</param>
    /// <param name="directory">The CA in the description; none for an issuer that is no ACME CA.</param>
    public static void WriteCaddy(TemporaryFolder folder, CertificateMaterial material, string issuer, Uri? directory = null)
    {
        var name = material.Names[0].Replace("*", "wildcard_", StringComparison.Ordinal);
        var path = $"certificates/{issuer}/{name}/{name}";
        folder.Write($"{path}.crt", Pem(material));
        folder.Write($"{path}.key", KeyPem(material.PrivateKey));
        folder.Write($"{path}.json", JsonSerializer.Serialize(new
        {
            sans = material.Names, issuer_data = directory is null ? null : new { url = $"{directory}/cert/1", ca = directory },
        }));
    }

    /// <summary>Like LettuceEncrypt, which exports only the leaf and its key.</summary>
    public static void WriteLettuceEncrypt(
        TemporaryFolder folder, CertificateMaterial material, string? password = null, int? iterations = null)
    {
        using var leaf = X509CertificateLoader.LoadCertificate(material.Chain[0].Span);
        using AsymmetricAlgorithm key = leaf.GetRSAPublicKey() is null ? ECDsa.Create() : RSA.Create();
        key.ImportPkcs8PrivateKey(material.PrivateKey.Span, out _);
        using var both = key is RSA rsa ? leaf.CopyWithPrivateKey(rsa) : leaf.CopyWithPrivateKey((ECDsa)key);
        Directory.CreateDirectory(folder.Combine("certs"));
        File.WriteAllBytes(
            folder.Combine("certs", $"{leaf.Thumbprint}.pfx"),
            iterations is { } count
                ? both.ExportPkcs12(new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, count), password)
                : both.Export(X509ContentType.Pfx, password));
    }

    public static void WriteLettuceEncryptAccount(TemporaryFolder folder, Uri directory, string keyPem)
        => folder.Write(
            $"accounts/{directory.Authority}{directory.AbsolutePath}/1.json",
            JsonSerializer.Serialize(new
            {
                id = 1,
                emailAddresses = new[] { "admin@example.com" },
                privateKey = keyPem[PemEncoding.Find(keyPem).Base64Data].Replace("\n", "", StringComparison.Ordinal),
            }));

    public static void WriteAutoHttps(TemporaryFolder folder, CertificateMaterial material, Uri directory)
    {
        var names = string.Join(',', material.Names.Order(StringComparer.Ordinal));
        var name = $"{material.Names[0]}-{Hash($"{directory.AbsoluteUri}|{names}")}";
        folder.Write($"{name}.crt.pem", Pem(material));
        folder.Write($"{name}.key.pem", KeyPem(material.PrivateKey));
    }

    public static void WriteAutoHttpsAccount(TemporaryFolder folder, Uri directory, string address, string keyPem)
        => folder.Write($"account-{Hash($"{directory.AbsoluteUri}|{address}")}.account.pem", keyPem);

    /// <summary>As PowerShell 5 writes it: in UTF-16.</summary>
    public static void WritePoshAcme(TemporaryFolder folder, CertificateMaterial material, Uri directory, string jwk, Uri accountUrl)
    {
        void Write(string name, string text)
        {
            var path = folder.Write(name, "");
            File.WriteAllText(path, text, Encoding.Unicode);
        }

        Write("current-server.txt", $"{directory}\r\n");
        Write("CA/dir.json", $$"""{ "location": "{{directory}}", "newAccount": null }""");
        Write("CA/current-account.txt", "2\r\n");
        Write("CA/1/acct.json", $$"""{ "status": "deactivated", "location": "{{directory}}/1", "key": {} }""");
        Write("CA/2/acct.json", $$"""{ "status": "valid", "location": "{{accountUrl}}", "key": {{jwk}}, "alg": "ES256" }""");
        Write($"CA/2/{material.Names[0]}/order.json", """{ "status": "valid" }""");
        folder.Write($"CA/2/{material.Names[0]}/fullchain.cer", Pem(material));
        folder.Write($"CA/2/{material.Names[0]}/cert.key", KeyPem(material.PrivateKey));
    }

    /// <summary>An account key as a JWK, without leading zeros, as some clients write numbers.</summary>
    public static string Jwk(AsymmetricAlgorithm key)
    {
        static string Number(byte[]? bytes) => Base64Url.EncodeToString(bytes.AsSpan().TrimStart((byte)0));
        if (key is ECDsa ecdsa)
        {
            var ec = ecdsa.ExportParameters(true);
            return JsonSerializer.Serialize(new
            {
                kty = "EC", crv = $"P-{ecdsa.KeySize}", x = Number(ec.Q.X), y = Number(ec.Q.Y), d = Number(ec.D),
            });
        }

        var rsa = ((RSA)key).ExportParameters(true);
        return JsonSerializer.Serialize(new
        {
            kty = "RSA", n = Number(rsa.Modulus), e = Number(rsa.Exponent), d = Number(rsa.D), p = Number(rsa.P), q = Number(rsa.Q),
            dp = Number(rsa.DP), dq = Number(rsa.DQ), qi = Number(rsa.InverseQ),
        });
    }

    /// <summary>Everything that a change of the folder would change: paths, contents and times.</summary>
    public static string Describe(string folder)
        => string.Join('\n', new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .OrderBy(f => f.FullName, StringComparer.Ordinal)
            .Select(f => $"{f.FullName} {f.LinkTarget} {f.LastWriteTimeUtc:O} {f.UnixFileMode} {Content(f as FileInfo)}"));

    private static string Content(FileInfo? file)
        => file is null || file.ResolveLinkTarget(returnFinalTarget: true) is { Exists: false } ? ""
            : Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file.FullName)));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];
}
