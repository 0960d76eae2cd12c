using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Configuration;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Certificates.Import;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>
/// The import of certificates that no client trusts, for names whose CA is a public one. The app only serves: no CA is asked for anything.
/// With another type of key than the configured one, a certificate is not imported, but may be served until there is another one.
/// </summary>
public sealed class ImportTrustTests : IDisposable
{
    private const string Name = "shop.kestrelacme.net";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_StagingCertificate_IsNotServedAndThatIsSaid(bool hasOtherKey)
    {
        var material = Issue(hasOtherKey);
        SampleImports.WriteCertbot(
            _folder, "shop", material, WellKnownAuthorities.FindByName(WellKnownAuthorities.LetsEncryptStaging)!.DirectoryUrl);

        await using var app = await StartAsync();

        Assert.True((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);
        var line = Assert.Single(app.Log.Lines, l => l.Event.Name == "ImportSkipped");
        Assert.Contains("it comes from a staging environment, whose certificates no client trusts", line.Message, StringComparison.Ordinal);
        Assert.False(app.Log.Has("ImportServedMeanwhile"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_CertificateOfACaThatNobodyTrusts_IsServedWithAWarning(bool hasOtherKey)
    {
        var material = Issue(hasOtherKey);
        SampleImports.WriteCertbot(_folder, "shop", material);

        await using var app = await StartAsync();

        using var leaf = X509CertificateLoader.LoadCertificate(material.Chain[0].Span);
        Assert.Equal(leaf.SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        var line = Assert.Single(app.Log.Lines, l => l.Event.Name == "ImportUntrusted");
        Assert.Contains("'CN=Test Root'", line.Message, StringComparison.Ordinal);
        Assert.Equal(hasOtherKey, app.Log.Has("ImportServedMeanwhile"));
    }

    [Fact]
    public async Task Start_CertificateOfAConfiguredCa_IsServedWithoutAWarning()
    {
        SampleImports.WriteCertbot(
            _folder, "shop", Issue(hasOtherKey: false), WellKnownAuthorities.FindByName(WellKnownAuthorities.LetsEncrypt)!.DirectoryUrl);

        await using var app = await StartAsync();

        Assert.False((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);
        Assert.False(app.Log.Has("ImportUntrusted"));
    }

    private static CertificateMaterial Issue(bool hasOtherKey)
        => new TestAuthority().Issue([Name], hasOtherKey ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256));

    private Task<AcmeApp> StartAsync()
        => AcmeApp.StartAsync(
            new Dictionary<string, string?>
            {
                ["AcmeHttps:DomainNames:0"] = Name,
                ["AcmeHttps:AcceptTermsOfService"] = "true",
                ["AcmeHttps:DirectoryUrl"] = "LetsEncrypt",
                ["AcmeHttps:Issuance"] = "ServeOnly",
                ["AcmeHttps:StoragePath"] = _folder.Combine("store"),
                ["AcmeHttps:ImportFrom:0:Path"] = _folder.Path,
            },
            cancellationToken: Cancelled);
}
