using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// A certificate without an authority key identifier cannot be named to a server of renewal information (RFC 9773 section 4.1).
/// </summary>
public sealed class WithoutKeyIdentifierTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_LeafWithoutKeyIdentifier_IsServedAndNotAskedAbout()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new InMemoryStorage();
        await storage.WriteAsync(
            StorageLayout.Certificate(Name), CertificateFile.Encode(Record(fixture.Authority.DirectoryUrl)), cancellationToken: Cancelled);
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), storage: storage);

        await Poll.UntilAsync(() => app.Log.Has("RenewalInfoUnusable"), "that it says why nothing is asked", cancellationToken: Cancelled);

        var status = app.Certificates.Find(Name)!;
        Assert.InRange(status.NextOrder!.Value, TimeProvider.System.GetUtcNow().AddDays(50), TimeProvider.System.GetUtcNow().AddDays(62));
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource is ResourceKind.RenewalInformation or ResourceKind.NewOrder);
        Assert.Equal(status.SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber, ignoreCase: true);
    }

    private static CertificateRecord Record(Uri directoryUrl)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Name);
        request.CertificateExtensions.Add(names.Build());
        using var leaf = request.CreateSelfSigned(now, now.AddDays(90));
        return new CertificateRecord([leaf.RawData], key.ExportPkcs8PrivateKey(), new CertificateMetadata
        {
            Names = [Name],
            KeyAlgorithm = "EcdsaP256",
            DirectoryUrl = directoryUrl,
            AccountUrl = new Uri(directoryUrl, "/account/1"),
            ObtainedAt = now,
            Jitter = 0,
        });
    }
}
