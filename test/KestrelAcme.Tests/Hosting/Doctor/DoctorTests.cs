using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration;
using KestrelAcme.Hosting.Doctor;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Certificates.Import;
using KestrelAcme.Tests.EndToEnd;
using KestrelAcme.Tests.Hosting.Kestrel;
using KestrelAcme.Tests.Storage.Protection;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
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
    public async Task Diagnose_NatAndIpv6Elsewhere_AreJudgedByWhatRespondsThere()
    {
        string[] names = ["both.test", "closed.test", "forwarded.test", "old.test", "only6.test"];
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = new OddHttpServer();
        other.Answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
        IPEndPoint? http = null;
        var settings = Settings(fixture, names);
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var app = await fixture.StartAppAsync(settings, configure: builder =>
        {
            dns.Use(builder);

            // The router of a network, seen from inside: it forwards one of its addresses, and refuses another.
            builder.Services.AddSingleton(new TokenProbe(TimeProvider.System, async (endpoint, token) =>
            {
                var target = endpoint.Address.ToString() switch
                {
                    "203.0.113.7" or "2001:db8::7" => http!,
                    "2001:db8::bad" => other.EndPoint,
                    _ => throw new SocketException((int)SocketError.ConnectionRefused),
                };
                Assert.Equal(80, endpoint.Port);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(target, token);
                return new NetworkStream(socket, ownsSocket: true);
            }));
        });
        http = app.Http;

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        const string nat = "is not an address of this machine, and port 80 there refused the connection. "
            + "Behind NAT or a load balancer that is normal.";
        const string elsewhere = "2001:db8::bad responds, but not as this app: it responds with status 404.";
        AssertFound(report, "forwarded.test", NameVerdicts.Dns, DiagnosisLevel.Ok, "203.0.113.7 leads to this app.");
        AssertFound(report, "closed.test", NameVerdicts.Dns, DiagnosisLevel.Warning, $"203.0.113.8 {nat}");
        AssertFound(report, "both.test", NameVerdicts.Dns, DiagnosisLevel.Ok, "203.0.113.7 leads to this app.");
        AssertFound(report, "both.test", NameVerdicts.Ipv6, DiagnosisLevel.Ok, "2001:db8::7 leads to this app.");
        AssertFound(report, "old.test", NameVerdicts.Dns, DiagnosisLevel.Ok, "203.0.113.7 leads to this app.");
        AssertFound(report, "old.test", NameVerdicts.Ipv6, DiagnosisLevel.Error, elsewhere);
        AssertFound(report, "only6.test", NameVerdicts.Ipv6, DiagnosisLevel.Error, elsewhere);
        Assert.Contains(
            "CAs and browsers try IPv6 first. Remove the AAAA record of old.test", report.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://bad", "is a URL")]
    [InlineData("a b", "fix:")]
    public async Task Run_InvalidOptions_ListsThemAlsoIfTheStatusIsMapped(string name, string expected)
    {
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:DomainNames:0"] = name, ["AcmeHttps:SelfChek"] = "true", ["AcmeHttps:Quux"] = "1",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
        });
        builder.Services.AddHealthChecks().AddAcmeHttps();
        builder.Services.AddAcmeHttps().ProtectKeysWithCertificate(ProtectionFixture.Certificate);
        await using var app = builder.Build();
        app.MapAcmeHttpsStatus("/status");
        app.MapHealthChecks("/health");
        var output = new StringWriter();

        var code = await app.RunAcmeDoctorAsync(output, Cancelled);

        Assert.Equal(1, code);
        Assert.Contains($"ERROR    options  AcmeHttps:DomainNames:0 = '{name}'", output.ToString(), StringComparison.Ordinal);
        Assert.Contains(expected, output.ToString(), StringComparison.Ordinal);
        Assert.Contains("Did you mean 'SelfCheck'?", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("fix:     Remove it. Known keys: AcceptTermsOfService, ", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("UseStagingServer", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_FolderToImport_IsExaminedAndNotImported()
    {
        using var foreign = new TemporaryFolder();
        SampleImports.WriteCertbot(foreign, "app", new TestAuthority().Issue(Name));
        SampleImports.WriteCertbot(foreign, "web", new TestAuthority().Issue("web.test"));
        File.Delete(foreign.Combine("archive", "web", "privkey1.pem"));
        var before = SampleImports.Describe(foreign.Path);
        await using var fixture = await LocalFixture.StartAsync();
        var settings = Settings(fixture, Name, "web.test");
        settings["AcmeHttps:ImportFrom:0"] = foreign.Path;

        var (code, output) = await RunAsync(settings);

        Assert.Equal(0, code);
        string[] expected =
        [
            $"  {foreign.Path} (Certbot) has 1 certificate for names of this app and no accounts",
            "privkey.pem' is not imported: it does not exist, or it is a link that leads nowhere.",
        ];
        Assert.All(expected, text => Assert.Contains(text, output, StringComparison.Ordinal));
        Assert.Contains("There is none yet. The app imports or orders it when it runs.", output, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(fixture.StorePath, "certificates", $"{Name}.pem")));
        Assert.All(fixture.Authority.Requests, request => Assert.Equal(ResourceKind.Directory, request.Resource));
        Assert.Equal(before, SampleImports.Describe(foreign.Path));
    }

    [Theory]
    [InlineData(Name, true)]
    [InlineData("other.test", false)]
    public async Task Run_FolderOfAnotherClient_IsAHintIfItHasWhatIsMissing(string name, bool hints)
    {
        using var foreign = new TemporaryFolder();
        SampleImports.WriteCertbot(foreign, "app", new TestAuthority().Issue(name));
        await using var fixture = await LocalFixture.StartAsync();

        var (_, output) = await RunAsync(
            Settings(fixture, Name), builder => builder.Services.AddSingleton(new ClientFolders([foreign.Combine("gone"), foreign.Path])));

        Assert.Equal(hints, output.Contains("has 1 certificate that this app lacks.", StringComparison.Ordinal));
        Assert.Equal(hints, output.Contains($"set AcmeHttps:ImportFrom to [ \"{foreign.Path}\" ].", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_OnlyNamesOnDemand_NeedsNoNamesButPort80()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = Settings(fixture);
        settings["AcmeHttps:OnDemand:AskUrl"] = "http://127.0.0.1:1/ask";
        settings["urls"] = "https://127.0.0.1:0";

        var (code, output) = await RunAsync(settings);

        Assert.Contains("  Valid: 0 certificates, and more on demand, by http-01", output, StringComparison.Ordinal);
        Assert.Contains("The app has no http:// endpoint, and http-01 is the only challenge type", output, StringComparison.Ordinal);
        Assert.Equal(1, code);
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

    /// <summary>The trial token cannot be taken back then, which is no reason to withhold what was found.</summary>
    [Fact]
    public async Task Diagnose_ChallengesCannotBeStored_ReportsAllTheSame()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var storage = new FailingStorage(new InMemoryStorage(TimeProvider.System));
        await using var app = await fixture.ServeAsync(Settings(fixture, Name), dns.Use, storage);
        storage.Unwritable = static key => key.StartsWith("challenges/", StringComparison.Ordinal);

        var report = await app.Certificates.DiagnoseAsync(Cancelled);

        Assert.Contains(report.Findings, f => f is { Check: ServerVerdicts.Token, Level: DiagnosisLevel.Ok });
        Assert.Contains(report.Findings, f => f is { Check: ServerVerdicts.Served, Level: DiagnosisLevel.Ok, Name: Name });
    }

    /// <summary>While the app is down, its clients try again and again, and the doctor listens where it would.</summary>
    [Fact]
    public async Task Run_ClientThatStays_DoesNotHoldUpTheReport()
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var stays = new StayingClient();

        var (_, output) = await RunAsync(Settings(fixture, Name), builder => builder.Services.AddSingleton<IStartupFilter>(stays))
            .WaitAsync(TimeSpan.FromMinutes(1), Cancelled);

        Assert.True(stays.HasCome);
        Assert.Contains("Nothing was ordered.", output, StringComparison.Ordinal);
    }

    /// <summary>The app may run meanwhile: its port and its connections are its own.</summary>
    [Fact]
    public async Task Argument_EndpointWithHttp3_IsNotBoundForIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var quic = new FakeQuic();
        var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        builder.Configuration.AddInMemoryCollection(Settings(fixture, Name));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, FreePort.TcpAndUdp(), listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2AndHttp3;
            listen.UseHttps();
        }));
        builder.Services.AddSingleton<IMultiplexedConnectionListenerFactory>(quic);
        dns.Use(builder);
        builder.Services.AddAcmeHttps();
        builder.Services.ReplaceAppByDoctor();
        await using var app = builder.Build();

        var report = await app.Services.GetRequiredService<DoctorHost>().RunAsync(Cancelled);

        Assert.Contains(report.Findings, f => f is { Check: ServerVerdicts.Https, Level: DiagnosisLevel.Ok });
        Assert.Contains(report.Findings, f => f is { Check: ServerVerdicts.Served, Level: DiagnosisLevel.Ok, Name: Name });
        Assert.Empty(quic.Bound);
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

    /// <summary>Runs the doctor in the place of an app.</summary>
    private async Task<(int Code, string Output)> RunAsync(
        Dictionary<string, string?> settings, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Production", Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        builder.Configuration.AddInMemoryCollection(settings);
        builder.WebHost.UseSetting(
            WebHostDefaults.ServerUrlsKey, settings.GetValueOrDefault("urls") ?? "http://127.0.0.1:0;https://127.0.0.1:0");
        dns.Use(builder);
        configure?.Invoke(builder);
        builder.Services.AddAcmeHttps();
        await using var app = builder.Build();
        var output = new StringWriter();
        var code = await app.RunAcmeDoctorAsync(output, Cancelled);
        return (code, output.ToString());
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
        Assert.Equal(level == DiagnosisLevel.Ok, finding.Fix is null);
    }

    private Dictionary<string, string?> Settings(LocalFixture fixture, params string[] names)
    {
        var settings = fixture.Settings(names);
        settings["AcmeHttps:DnsResolvers:0"] = dns.Bind.Address.ToString();
        return settings;
    }

    /// <summary>A client that comes with the first request of the doctor, and whose own request does not end.</summary>
    private sealed class StayingClient : IStartupFilter, IDisposable
    {
        private readonly TaskCompletionSource _came = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly HttpClient _client = new();
        private Task? _going;

        public bool HasCome => _came.Task.IsCompletedSuccessfully;

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (context, following) =>
            {
                if (context.Request.Path == "/stay")
                {
                    _came.TrySetResult();
                    await _end.Task;
                    return;
                }

                var addresses = context.RequestServices.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
                _going ??= _client.GetAsync($"{addresses.First(a => a.StartsWith("http://", StringComparison.Ordinal))}/stay", Cancelled);
                await _came.Task;
                await following(context);
            });
            next(app);
        };

        public void Dispose()
        {
            _end.TrySetResult();
            _client.Dispose();
        }
    }

    /// <summary>A name server for all tests of the class.</summary>
    public sealed class Dns : IAsyncLifetime
    {
        private static readonly BindZone Zone = new(
            "test", "app IN A 127.0.0.1", "forbidden IN A 127.0.0.1", "forbidden IN CAA 0 issue \"other.example\"",
            "ech IN A 127.0.0.1", "ech IN HTTPS 1 . ech=AEX+DQBB", "web IN A 127.0.0.1",
            "forwarded IN A 203.0.113.7", "closed IN A 203.0.113.8", "both IN A 203.0.113.7", "both IN AAAA 2001:db8::7",
            "old IN A 203.0.113.7", "old IN AAAA 2001:db8::bad", "only6 IN AAAA 2001:db8::bad");

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
