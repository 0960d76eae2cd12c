using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>Health probes of load balancers, and other clients that send no server name.</summary>
public sealed class ClientWithoutNameTests
{
    private static readonly TestAuthority Authority = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("one name")]
    [InlineData("several names")]
    [InlineData("wildcard")]
    [InlineData("two kinds of key")]
    [InlineData("stored")]
    public async Task Connect_OneCertificateOnly_Served(string what)
    {
        await using var app = await StartAsync();
        string[] names = what switch { "several names" => ["a.test", "www.a.test"], "wildcard" => ["*.a.test"], _ => ["a.test"] };
        if (what == "stored")
        {
            app.Publisher.PublishStored([Authority.Issue(names, ECDsa.Create(ECCurve.NamedCurves.nistP256), "a")]);
        }
        else
        {
            app.Publisher.Publish(Authority.Issue(names, ECDsa.Create(ECCurve.NamedCurves.nistP256), "a"));
        }

        if (what == "two kinds of key")
        {
            app.Publisher.Publish(Authority.Issue(names, RSA.Create(2048), "a+rsa2048"));
        }

        app.Publisher.SetManagedNames(names, sole: names[0]);

        Assert.Equal(names[0], await NameOfAsync(app));
        Assert.DoesNotContain(app.Logs.Lines, l => l.Level > LogLevel.Information);
    }

    [Fact]
    public async Task Connect_SoleCertificateMissing_Placeholder()
    {
        await using var app = await StartAsync();
        app.Publisher.SetManagedNames(["a.test"], sole: "a.test");

        Assert.Equal("placeholder of KestrelAcme", await NameOfAsync(app));
    }

    [Fact]
    public async Task Connect_OneCertificateAndTheAppsOwnDefault_AppsCertificate()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Combine("default.pfx");
        using (var certificate = Authority.IssueWithKey("default.test"))
        {
            await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pkcs12, "secret"), Token);
        }

        await using var app = await StartAsync(
            new() { ["Kestrel:Certificates:Default:Path"] = path, ["Kestrel:Certificates:Default:Password"] = "secret" });
        app.Publisher.Publish(Authority.Issue("a.test"));
        app.Publisher.SetManagedNames(["a.test"], sole: "a.test");

        Assert.Equal("default.test", await NameOfAsync(app));
    }

    [Fact]
    public async Task Connect_SeveralCertificates_OneWarningAnHourWithPeerAndFix()
    {
        await using var app = await StartAsync();
        PublishTwo(app);

        for (var i = 0; i < 5; i++)
        {
            Assert.Null(await NameOfAsync(app));
        }

        var warning = Assert.Single(app.Logs.Lines, l => l.Level > LogLevel.Information);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Matches(
            @"^Refused a connection from 127\.0\.0\.1:\d+: the client sends no server name .* AcmeHttps:DefaultServerName",
            warning.Message);
    }

    [Fact]
    public async Task Connect_UnmanagedDefaultName_WarningNamesIt()
    {
        await using var app = await StartAsync(settings: new TlsSettings { DefaultServerName = new TlsTarget("typo.test") });
        PublishTwo(app);

        Assert.Null(await NameOfAsync(app));
        Assert.Contains(
            "'typo.test'", Assert.Single(app.Logs.Lines, l => l.Level > LogLevel.Information).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_DefaultNameOfAnAddress_ItsCertificate()
    {
        await using var app = await StartAsync(
            settings: new TlsSettings { DefaultServerName = new TlsTarget(IPAddress.Parse("192.0.2.9")) });
        PublishTwo(app);
        app.Publisher.Publish(Authority.Issue("192.0.2.8"));
        app.Publisher.Publish(Authority.Issue("192.0.2.9"));

        Assert.Equal("192.0.2.9", await NameOfAsync(app));
    }

    [Fact]
    public async Task Connect_TheOnlyAddressBecameAnother_ItsCertificate()
    {
        await using var app = await StartAsync();
        app.Publisher.Publish(Authority.Issue("192.0.2.1"));
        app.Publisher.SetManagedNames(["192.0.2.1"]);
        Assert.Equal("192.0.2.1", await NameOfAsync(app));

        app.Publisher.SetManagedNames(["192.0.2.2"]);
        app.Publisher.SetRetired("192.0.2.1", isRetired: true);
        app.Publisher.Publish(Authority.Issue("192.0.2.2"));

        Assert.Equal("192.0.2.2", await NameOfAsync(app));
    }

    [Fact]
    public void Refused_AfterAnHour_LoggedAgainWithCount()
    {
        var time = new FakeTimeProvider();
        var logs = new LogRecorder();
        var settings = new FixedTlsSettings(new TlsSettings());
        var contexts = new CertificateContexts(
            settings, new SessionPins(settings, time, logs.For<SessionPins>()), time, logs.For<CertificateContexts>());
        var table = new TlsCertificateTable(settings, contexts, time, logs.For<TlsCertificateTable>());
        table.SetManagedNames(["a.test", "b.test"]);
        var clients = new NamelessClients(table, time, logs.For<NamelessClients>());
        var remote = new IPEndPoint(IPAddress.Loopback, 4711);

        for (var minute = 0; minute < 121; minute++)
        {
            clients.Refused(remote);
            time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["1 such", "60 such", "60 such"], logs.Lines.Select(line => Regex.Match(line.Message, @"\d+ such").Value));
    }

    private static void PublishTwo(KestrelApp app)
    {
        app.Publisher.Publish(Authority.Issue("a.test"));
        app.Publisher.Publish(Authority.Issue("b.test"));
        app.Publisher.SetManagedNames(["a.test", "b.test"]);
    }

    private static async Task<string?> NameOfAsync(KestrelApp app)
    {
        var served = await OpenSsl.ShowCertificatesAsync(app.EndPoint.Port, null, cancellationToken: Token);
        return served.CertificatesPem.Count == 0 ? null : served.LoadLeaf().GetNameInfo(X509NameType.SimpleName, forIssuer: false);
    }

    private static Task<KestrelApp> StartAsync(Dictionary<string, string?>? configuration = null, TlsSettings? settings = null)
        => KestrelApp.StartAsync(builder => builder.WebHost.UseUrls("https://127.0.0.1:0"), Token, settings, configuration: configuration);
}
