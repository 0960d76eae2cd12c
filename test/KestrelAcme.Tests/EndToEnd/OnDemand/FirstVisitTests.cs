using System.Net;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.OnDemand;

/// <summary>The first visit of a name that nobody configured: its connection waits for the certificate.</summary>
public sealed class FirstVisitTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_AllowedName_WaitsForItsCertificate()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.Allow("shop.test");
        await using var app = await OnDemandApp.StartAsync(fixture, permission);

        var first = await app.ConnectAsync("shop.test", Cancelled);
        var second = await app.ConnectAsync("shop.test", Cancelled);

        Assert.Null(first.Refusal);
        Assert.Equal(app.Certificates.Find("shop.test")!.SerialNumber, first.SerialNumber);
        Assert.Equal(first.SerialNumber, second.SerialNumber);
        Assert.Single(fixture.Authority.Issued);
        Assert.Equal(["shop.test"], permission.Asked);
    }

    [Fact]
    public async Task Connect_ManyAtOnce_ShareOneOrderForEachName()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission);

        var all = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => app.ConnectAsync($"n{i % 4}.test", Cancelled)));

        Assert.All(all, answer => Assert.Null(answer.Refusal));
        Assert.Equal(4, all.Select(answer => answer.SerialNumber).Distinct().Count());
        Assert.Equal(4, fixture.Authority.Requests.Count(r => r is { Resource: ResourceKind.NewOrder, StatusCode: 201 }));
        Assert.Equal(4, permission.Asked.Count);
    }

    [Fact]
    public async Task Connect_DeniedName_IsRefusedAndAskedOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.Allow("shop.test");
        await using var app = await OnDemandApp.StartAsync(fixture, permission);

        var first = await app.ConnectAsync("other.test", Cancelled);
        var second = await app.ConnectAsync("other.test", Cancelled);

        Assert.NotNull(first.Refusal);
        Assert.NotNull(second.Refusal);
        Assert.Equal(["other.test"], permission.Asked);
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Resource == ResourceKind.NewOrder);
        Assert.Empty(app.Certificates.List());
    }

    [Fact]
    public async Task Connect_ConfiguredName_IsNeverAskedAbout()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission, names: "app.test");

        await app.ConnectAsync("app.test", Cancelled);
        await app.ObtainedAsync("app.test");
        await app.ConnectAsync("app.test", Cancelled);

        Assert.Empty(permission.Asked);
    }

    [Theory]
    [InlineData("own.test", true)]
    [InlineData("any.own.test", true)]
    [InlineData("other.test", false)]
    [InlineData("shop.test", true, "shop.test")]
    public async Task Connect_NameOfTheSniSection_IsNeverAskedAboutAndNeverWaits(string name, bool isServed, params string[] asked)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (permission, port) = (new TestPermission(static _ => IssuanceDecision.Unknown()), FreePort.Tcp());
        using var folder = new TemporaryFolder();
        using var own = new TestAuthority().IssueWithKey("own.test");
        var file = folder.Combine("own.pfx");
        await File.WriteAllBytesAsync(file, own.Export(X509ContentType.Pkcs12, "secret"), Cancelled);
        await using var app = await OnDemandApp.StartAsync(fixture, permission, settings =>
        {
            settings["Kestrel:Endpoints:Plain:Url"] = "http://127.0.0.1:0";
            settings["Kestrel:Endpoints:Other:Url"] = $"https://127.0.0.1:{FreePort.Tcp()}";
            settings["Kestrel:Endpoints:Other:Sni:*:Protocols"] = "Http1";
            settings["Kestrel:Endpoints:Web:Url"] = $"https://127.0.0.1:{port}";
            foreach (var served in new[] { "own.test", "*.own.test" })
            {
                settings[$"Kestrel:Endpoints:Web:Sni:{served}:Certificate:Path"] = file;
                settings[$"Kestrel:Endpoints:Web:Sni:{served}:Certificate:Password"] = "secret";
            }

            settings["Kestrel:Endpoints:Web:Sni:shop.test:Protocols"] = "Http1";
        });
        permission.Decide = name => name == "shop.test" ? IssuanceDecision.Allow() : IssuanceDecision.Unknown();
        fixture.Authority.Resolve("*", app.Http);

        var answer = await TlsAnswer.GetAsync(new IPEndPoint(IPAddress.Loopback, port), name, Cancelled);

        Assert.Equal(isServed, answer.Refusal is null);
        Assert.Equal(isServed && asked.Length == 0, answer.Refusal is null && answer.SerialNumber == own.SerialNumber);
        Assert.Equal(asked, permission.Asked);
        Assert.Empty(app.Services.GetRequiredService<DeniedNames>().Latest);
    }

    /// <summary>Whatever name a client sends there, it gets that certificate.</summary>
    [Fact]
    public async Task Connect_EndpointWithItsOwnCertificate_IsNeverAskedAboutAndNeverWaits()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var (permission, port) = (TestPermission.AllowAll(), FreePort.Tcp());
        using var folder = new TemporaryFolder();
        using var own = new TestAuthority().IssueWithKey("own.test");
        var file = folder.Combine("own.pfx");
        await File.WriteAllBytesAsync(file, own.Export(X509ContentType.Pkcs12, "secret"), Cancelled);
        await using var app = await OnDemandApp.StartAsync(fixture, permission, settings =>
        {
            settings["Kestrel:Endpoints:Plain:Url"] = "http://127.0.0.1:0";
            settings["Kestrel:Endpoints:Web:Url"] = $"https://127.0.0.1:{FreePort.Tcp()}";
            settings["Kestrel:Endpoints:Admin:Url"] = $"https://127.0.0.1:{port}";
            settings["Kestrel:Endpoints:Admin:Certificate:Path"] = file;
            settings["Kestrel:Endpoints:Admin:Certificate:Password"] = "secret";
        });
        fixture.Authority.Resolve("*", app.Http);

        var answer = await TlsAnswer.GetAsync(new IPEndPoint(IPAddress.Loopback, port), "shop.test", Cancelled);

        Assert.Equal(own.SerialNumber, answer.SerialNumber);
        Assert.Empty(permission.Asked);
        Assert.Empty(app.Certificates.List());
    }

    [Fact]
    public async Task Connect_GroupWithAConfiguredName_IsRefused()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = new TestPermission(
            static name => IssuanceDecision.Allow(new OnDemandCertificate { DomainNames = [name, "app.test", "later.test"] }));
        await using var app = await OnDemandApp.StartAsync(fixture, permission, names: "app.test");
        await app.ObtainedAsync("app.test");
        var configured = app.Certificates.Find("app.test")!.SerialNumber;

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.NotNull(answer.Refusal);
        Assert.Equal(configured, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Single(fixture.Authority.Issued);
        var refused = app.Services.GetRequiredService<DeniedNames>().Latest[0];
        Assert.Contains("'app.test' has a certificate of its own", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_GroupWithANameAddedAtRunTime_IsRefused()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = new TestPermission(
            static name => IssuanceDecision.Allow(new OnDemandCertificate { DomainNames = [name, "later.test"] }));
        await using var app = await OnDemandApp.StartAsync(fixture, permission);
        await app.Certificates.AddDomainsAsync(["later.test"], Cancelled);
        await app.ObtainedAsync("later.test");

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.NotNull(answer.Refusal);
        Assert.Single(fixture.Authority.Issued);
    }

    [Fact]
    public async Task Connect_GroupThatIsRefused_UsesNoBudget()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = new TestPermission(static name => IssuanceDecision.Allow(
            new OnDemandCertificate { DomainNames = name == "shop.test" ? [name, "app.test"] : [name] }));
        await using var app = await OnDemandApp.StartAsync(
            fixture, permission, configure: static options => options.MaxNewNamesPerHour = 1, names: "app.test");

        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("shop.test", Cancelled)).Refusal);

        Assert.Null((await app.ConnectAsync("other.test", Cancelled)).Refusal);
    }

    [Fact]
    public async Task AddDomains_NameOfAGroup_EndsTheGroupAtOnce()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = new TestPermission(
            static name => IssuanceDecision.Allow(new OnDemandCertificate { DomainNames = [name, "later.test"] }));
        await using var app = await OnDemandApp.StartAsync(fixture, permission);
        var group = (await app.ConnectAsync("shop.test", Cancelled)).SerialNumber;
        permission.Decide = static _ => IssuanceDecision.Allow();

        await app.Certificates.AddDomainsAsync(["later.test"], Cancelled);
        await app.ObtainedAsync("later.test");

        Assert.Equal(
            app.Certificates.Find("later.test")!.SerialNumber, (await app.ConnectAsync("later.test", Cancelled)).SerialNumber);
        var shop = await app.ConnectAsync("shop.test", Cancelled);
        Assert.Null(shop.Refusal);
        Assert.NotEqual(group, shop.SerialNumber);
        Assert.All(permission.Asked, asked => Assert.Equal("shop.test", asked));
        Assert.Equal(3, fixture.Authority.Issued.Count);
    }

    [Fact]
    public async Task Connect_PermissionThrows_NothingIsOrdered()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = new TestPermission(static _ => throw new InvalidOperationException("the database is down"));
        await using var app = await OnDemandApp.StartAsync(fixture, permission);

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.NotNull(answer.Refusal);
        Assert.Empty(app.Certificates.List());
        Assert.Equal(1, app.Log.Lines.Count(l => l.Event.Name == "OnDemandPermissionFailed"));
    }

    [Fact]
    public async Task Connect_OnlyTlsAlpn01_TheAuthorityNeverWaits()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var port = FreePort.Tcp();
        await using var app = await OnDemandApp.StartAsync(
            fixture,
            TestPermission.AllowAll(),
            settings =>
            {
                settings["AcmeHttps:ChallengeTypes:0"] = "tls-alpn-01";
                settings["urls"] = $"http://127.0.0.1:0;https://127.0.0.1:{port}";
            });
        fixture.Authority.Resolve("shop.test", new IPEndPoint(IPAddress.Loopback, 9), new IPEndPoint(IPAddress.Loopback, port));

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.Null(answer.Refusal);
        Assert.False(answer.IsSelfSigned);
        Assert.All(fixture.Authority.Validations, v => Assert.Equal("tls-alpn-01", v.Type));
    }

    [Fact]
    public async Task Connect_WaitIsOver_GetsThePlaceholderAndTheOrderGoesOn()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await OnDemandApp.StartAsync(
            fixture, TestPermission.AllowAll(), configure: static options => options.Wait = TimeSpan.Zero);

        var answer = await app.ConnectAsync("shop.test", Cancelled);

        Assert.True(answer.Refusal is not null || answer.IsSelfSigned);
        await app.ObtainedAsync("shop.test");
        Assert.False((await app.ConnectAsync("shop.test", Cancelled)).IsSelfSigned);
    }

    [Theory]
    [InlineData("shop .test")]
    [InlineData("*.shop.test")]
    [InlineData("shop..test")]
    [InlineData("127.1.2.3.4")]
    public async Task Connect_ServerNameThatIsNoHostName_WaitsForNobody(string name)
    {
        await using var fixture = await LocalFixture.StartAsync();
        var permission = TestPermission.AllowAll();
        await using var app = await OnDemandApp.StartAsync(fixture, permission);

        Assert.NotNull((await app.ConnectAsync(name, Cancelled)).Refusal);

        Assert.Empty(permission.Asked);
        Assert.Empty(app.Services.GetRequiredService<DeniedNames>().Latest);
    }

    [Fact]
    public async Task Connect_AskUrl_IsAskedAsCaddyAsks()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var port = FreePort.Tcp();
        var settings = fixture.Settings();
        settings["urls"] = $"http://127.0.0.1:{port};https://127.0.0.1:0";
        settings["AcmeHttps:OnDemand:CheckAddress"] = "false";
        settings["AcmeHttps:OnDemand:AskUrl"] = $"http://127.0.0.1:{port}/ask?key=1";
        settings["AcmeHttps:OnDemand:Wait"] = OnDemandApp.Patience.ToString();
        fixture.Authority.Resolve("*", new IPEndPoint(IPAddress.Loopback, port));
        await using var app = await AcmeApp.StartAsync(
            settings,
            configure: OnDemandApp.AllowSlowHandshakes,
            pipeline: static app => app.MapGet(
                "/ask",
                static (string domain, string key) => key != "1" ? Results.BadRequest()
                    : domain == "shop.test" ? Results.Ok("yes")
                    : domain == "moved.test" ? Results.Redirect("/")
                    : Results.NotFound()),
            cancellationToken: Cancelled);

        Assert.Null((await app.ConnectAsync("shop.test", Cancelled)).Refusal);
        Assert.NotNull((await app.ConnectAsync("other.test", Cancelled)).Refusal);
        Assert.False(app.Log.Has("OnDemandPermissionFailed"), app.Log.ToString());
        Assert.NotNull((await app.ConnectAsync("moved.test", Cancelled)).Refusal);

        // It will say so for every name: somebody has to correct the URL.
        var report = Assert.Single(app.Log.Lines, l => l.Event.Name == "OnDemandPermissionFailed");
        Assert.Contains("302", report.Exception!.Message, StringComparison.Ordinal);
        Assert.Single(fixture.Authority.Issued);
    }
}
