using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Storage.FileSystem;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A new root that an old one has signed: visitors that know only the old one need the certificate in between, whatever the server itself
/// trusts.
/// </summary>
public sealed class CrossSignedChainTests
{
    private const string Name = "app.test";

    // The same for all certificates: none may outlive its issuer.
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData("new.pem")]
    [InlineData("old.pem")]
    [InlineData("neither.pem")]
    public async Task Handshake_WhateverTheMachineTrusts_SendsTheChainOfTheAuthority(string trusted)
    {
        var openssl = RequireServer.Installed("openssl", "openssl");
        using var folder = new TemporaryFolder();
        await FillAsync(folder);
        var settings = StoredCertificates.Settings(Name);
        settings["AcmeHttps:StoragePath"] = folder.Combine("store");
        settings["SSL_CERT_FILE"] = folder.Combine(trusted);
        settings["SSL_CERT_DIR"] = folder.Combine("nothing");
        await using var app = TestAppProcess.Start(settings, FreePort.Tcp());
        await app.ListeningAsync();

        var result = await Command.RunAsync(
            openssl,
            [
                "s_client", "-connect", app.Https.ToString(), "-servername", Name, "-showcerts", "-no-CApath", "-no-CAstore",
                "-CAfile", folder.Combine("old.pem"), "-verify_return_error",
            ],
            cancellationToken: TestContext.Current.CancellationToken);

        Assert.Contains("Verify return code: 0 (ok)", result.StandardOutput, StringComparison.Ordinal);
        Assert.Equal(3, result.StandardOutput.Split("-----BEGIN CERTIFICATE-----").Length - 1);
        Assert.DoesNotContain("ChainBuiltAnew", app.Output, StringComparison.Ordinal);
    }

    private static async Task FillAsync(TemporaryFolder folder)
    {
        using var oldKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var newKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var oldRoot = Request("Old Root", oldKey, authority: true).CreateSelfSigned(Now.AddDays(-9), Now.AddYears(5));
        using var newRoot = Request("New Root", newKey, authority: true).CreateSelfSigned(Now.AddDays(-9), Now.AddYears(5));
        using var neither = Request("Another Root", otherKey, authority: true).CreateSelfSigned(Now.AddDays(-9), Now.AddYears(5));
        using var cross = Sign("New Root", newKey, oldRoot, authority: true);
        using var intermediate = Sign("Intermediate", intermediateKey, newRoot, authority: true).CopyWithPrivateKey(intermediateKey);
        using var leaf = Sign(Name, key, intermediate, authority: false);
        folder.Write("old.pem", oldRoot.ExportCertificatePem());
        folder.Write("new.pem", newRoot.ExportCertificatePem());
        folder.Write("neither.pem", neither.ExportCertificatePem());
        using var storage = new FileSystemStorage(folder.Combine("store"), TimeProvider.System, NullLogger<FileSystemStorage>.Instance);
        await StoredCertificates.WriteAsync(
            storage, Name, [leaf.RawData, intermediate.RawData, cross.RawData], key.ExportPkcs8PrivateKey(), state: null, Name);
    }

    private static X509Certificate2 Sign(string name, ECDsa key, X509Certificate2 issuer, bool authority)
    {
        var request = Request(name, key, authority);
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        return request.Create(issuer, Now.AddDays(-1), Now.AddDays(89), [1, .. RandomNumberGenerator.GetBytes(8)]);
    }

    private static CertificateRequest Request(string name, ECDsa key, bool authority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (!authority)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
        }

        return request;
    }
}
