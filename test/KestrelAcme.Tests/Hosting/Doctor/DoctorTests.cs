using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Configuration;
using KestrelAcme.Hosting.Doctor;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Doctor;

/// <summary>The doctor of apps that run, with a local authority and BIND.</summary>
public sealed class DoctorTests(DoctorTests.Dns dns) : IClassFixture<DoctorTests.Dns>
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Diagnose_AppThatRuns_FindsNoErrorAndOrdersNothing()
    {
        await using var fixture = await LocalFixture.StartAsync(o => o.CaaIdentities.Add("ca.example"));
        await using var app = await fixture.ServeAsync(Settings(fixture, Name), dns.Use);
        var before = fixture.Authority.Requests.Count;

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        Assert.Equal(0, report.Errors);
        string[] fine = ["options", "permissions", "https", "http", "token", "directory", "account", "clock", "certificate", "dns", "caa"];
        Assert.All(fine, check => Assert.Contains(report.Findings, f => f.Check == check && f.Level == DiagnosisLevel.Ok));
        Assert.Contains(report.Findings, f => f is { Check: "served", Level: DiagnosisLevel.Ok, Name: Name });

        // The app itself polls renewal information after it has obtained a certificate.
        var asked = fixture.Authority.Requests.Skip(before).Where(r => r.Resource != ResourceKind.RenewalInformation);
        Assert.Equal(ResourceKind.Directory, Assert.Single(asked).Resource);
    }

    [Fact]
    public async Task Diagnose_NamesWithProblems_FindsEach()
    {
        string[] names = ["missing.test", "forbidden.test", "ech.test"];
        await using var fixture = await LocalFixture.StartAsync(o => o.CaaIdentities.Add("ca.example"));
        await using var app = await fixture.StartAppAsync(
            Settings(fixture, names),
            acme: acme => acme.Services.Configure<AcmeHttpsOptions>(o => o.Issuance = IssuanceMode.ServeOnly),
            configure: dns.Use,
            pipeline: app => app.Use((context, next) =>
            {
                context.Response.Headers.StrictTransportSecurity = "max-age=31536000";
                return next(context);
            }));

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        AssertFound(report, names[0], NameVerdicts.Dns, DiagnosisLevel.Error, "It does not exist in DNS.");
        AssertFound(
            report, names[1], NameVerdicts.Caa, DiagnosisLevel.Error,
            "The CAA record set of forbidden.test allows (issue) other.example, not ca.example.");
        AssertFound(
            report, names[2], NameVerdicts.HttpsRecord, DiagnosisLevel.Error,
            "The HTTPS record promises Encrypted Client Hello, which .NET does not support: browsers that use it cannot connect.");
        Assert.Contains(report.Findings, f => f is { Check: ServerVerdicts.Hsts, Level: DiagnosisLevel.Warning });
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
    }

    [Fact]
    public async Task Diagnose_SniSectionHidesTheCertificate_SaysSo()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);
        using var folder = new TemporaryFolder();
        var path = folder.Combine("other.pfx");
        await File.WriteAllBytesAsync(path, OtherCertificate(), Cancelled);
        var settings = Settings(fixture, Name);
        settings["Kestrel:Endpoints:Http:Url"] = $"http://127.0.0.1:{FreePort.Tcp()}";
        settings["Kestrel:Endpoints:Web:Url"] = $"https://127.0.0.1:{FreePort.Tcp()}";
        settings[$"Kestrel:Endpoints:Web:Sni:{Name}:Certificate:Path"] = path;
        await using var app = await fixture.ServeAsync(settings);

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        var served = Assert.Single(report.Findings, f => f.Check == ServerVerdicts.Served);
        Assert.Equal(DiagnosisLevel.Error, served.Level);
        Assert.Contains("which hides that of KestrelAcme", served.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diagnose_AuthorityIsDown_SaysWhatToCheck()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = Settings(fixture, Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://127.0.0.1:{FreePort.Tcp()}/directory";
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var app = await fixture.StartAppAsync(settings);

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        var directory = Assert.Single(report.Findings, f => f.Check == HostVerdicts.Directory);
        Assert.Equal(DiagnosisLevel.Error, directory.Level);
        Assert.Contains("firewall", directory.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diagnose_MoreThanAHundredNames_SaysHowManyWereLeftOut()
    {
        await using var fixture = await LocalFixture.StartAsync();
        string[] addresses = [.. Enumerable.Range(1, 103).Select(i => $"127.0.1.{i}")];
        var settings = Settings(fixture, addresses);
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var app = await fixture.StartAppAsync(settings);

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        Assert.Equal(3, report.NamesNotExamined);
        Assert.Contains("3 more names not examined.", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_FirstFailure_IsExaminedOnceAndJoinsTheMessage()
    {
        const string missing = "missing.test";
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.FailValidation(missing);
        await using var app = await fixture.StartAppAsync(Settings(fixture, missing));

        await Poll.UntilAsync(
            () => app.Certificates.Find(missing)?.Failure?.Message.Contains("Seen from here:", StringComparison.Ordinal) == true,
            () => $"the findings in the message\n{app.Log}",
            cancellationToken: Cancelled);

        var failure = app.Certificates.Find(missing)!.Failure!;
        Assert.Equal(1, failure.Count);
        Assert.Contains("It does not exist in DNS. Create an A record for missing.test", failure.Message, StringComparison.Ordinal);
        Assert.True(app.Log.Has("FailureExamined"));
    }

    private static byte[] OtherCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return certificate.Export(X509ContentType.Pkcs12);
    }

    private static void AssertFound(DiagnosisReport report, string name, string check, DiagnosisLevel level, string message)
    {
        var finding = Assert.Single(report.Findings, f => f.Name == name && f.Check == check);
        Assert.Equal((level, message), (finding.Level, finding.Message));
        Assert.NotNull(finding.Fix);
    }

    private Dictionary<string, string?> Settings(LocalFixture fixture, params string[] names)
    {
        var settings = fixture.Settings(names);
        settings["AcmeHttps:DnsResolvers:0"] = dns.Bind.Address.ToString();
        return settings;
    }

    /// <summary>A name server for all tests of the class.</summary>
    public sealed class Dns : IAsyncLifetime
    {
        private static readonly BindZone Zone = new(
            "test", "app IN A 127.0.0.1", "forbidden IN A 127.0.0.1", "forbidden IN CAA 0 issue \"other.example\"",
            "ech IN A 127.0.0.1", "ech IN HTTPS 1 . ech=AEX+DQBB");

        private BindServer? _bind;

        public BindServer Bind => _bind!;

        public async ValueTask InitializeAsync()
            => _bind = await BindServer.StartAsync(new BindOptions { Zones = [Zone] }, TestContext.Current.CancellationToken);

        public ValueTask DisposeAsync() => _bind?.DisposeAsync() ?? default;

        /// <summary>Lets an app find the name server of the zone at its port.</summary>
        internal void Use(WebApplicationBuilder builder)
            => builder.Services.AddSingleton(new DnsEndPointMap(address => new IPEndPoint(address, Bind.Address.Port)));
    }
}
