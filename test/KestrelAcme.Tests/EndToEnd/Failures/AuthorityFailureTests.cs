using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Tests.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd.Failures;

/// <summary>An authority that cannot be used, and a configuration that asks for nothing or for nonsense.</summary>
public sealed class AuthorityFailureTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_BadConfiguration_NamesAllProblemsAtOnce()
    {
        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DomainNames:0"] = "http://app.test",
            ["AcmeHttps:DomainNames:1"] = "a b",
            ["AcmeHttps:KeyAlgorithm"] = "Rsa1024",
            ["AcmeHttps:EmailAdress"] = "admin@example.com",
        };

        var exception = await Assert.ThrowsAnyAsync<OptionsValidationException>(
            () => AcmeApp.StartAsync(settings, cancellationToken: Cancelled));

        Assert.All(
            new[] { "http://app.test", "a b", "Rsa1024", "EmailAdress" },
            part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Order_DirectoryUnreachable_NamesTheUrlAndWhatItsAddressDid()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        var url = settings["AcmeHttps:DirectoryUrl"] = $"https://127.0.0.1:{FreePort.Tcp()}/directory";
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await SaysAsync(app, FailureCause.Authority, url, "127.0.0.1 refused the connection");
        Assert.DoesNotContain("AcmeHttps:DirectoryUrl", app.Certificates.Find(Name)!.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_RootIsRolled_IsOrderedWithoutARestart()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        using var folder = new TemporaryFolder();
        var path = settings["AcmeHttps:TrustedRootsPath"] = folder.Write("roots.pem", TestFacts.RootPem());
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        await SaysAsync(app, FailureCause.Authority, "'CN=test root'", "into the file that AcmeHttps:TrustedRootsPath names");

        File.Copy(fixture.RootPath, path, overwrite: true);

        await Poll.UntilAsync(
            async token =>
            {
                // Refused as long as the CA is left alone after its failures.
                await app.Certificates.RenewAsync(Name, token);
                return app.Certificates.Find(Name) is { State: CertificateState.Valid };
            },
            () => $"a certificate\n{app.Log}",
            TimeSpan.FromMinutes(3),
            Cancelled);
    }

    [Fact]
    public async Task Order_DirectoryIsAPage_NamesTheUrlAndTheFix()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.Inject(ResourceKind.Directory, LocalAuthority.Faults.Fault.WrongContentType, int.MaxValue);
        fixture.Authority.Faults.Inject(ResourceKind.Directory, LocalAuthority.Faults.Fault.NotJson, int.MaxValue);
        var settings = fixture.Settings(Name);
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await SaysAsync(app, FailureCause.Authority, settings["AcmeHttps:DirectoryUrl"]!, "AcmeHttps:DirectoryUrl");
    }

    [Fact]
    public async Task Order_AuthorityIsNotTrusted_NamesTheUrlAndTheFix()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings.Remove("AcmeHttps:TrustedRootsPath");
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await SaysAsync(app, FailureCause.Authority, settings["AcmeHttps:DirectoryUrl"]!, "AcmeHttps:TrustedRootsPath");
    }

    [Fact]
    public async Task Order_ClockTwoHoursOff_OrdersNothingUntilItIsRight()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.DateOffset = TimeSpan.FromHours(2);
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name), configure: QuickIssuance.Apply);

        await SaysAsync(app, FailureCause.Local, "2 hours", "set the clock");
        Assert.DoesNotContain(fixture.Authority.Requests, r => r.Method == "POST");

        fixture.Authority.Faults.DateOffset = TimeSpan.Zero;
        await Poll.UntilAsync(() => app.Certificates.Find(Name) is { State: CertificateState.Valid }, () => $"a certificate\n{app.Log}",
            cancellationToken: Cancelled);
    }

    [Fact]
    public async Task Start_NoHttpEndpoint_Warns()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["urls"] = "https://127.0.0.1:0";
        await using var app = await fixture.StartAppAsync(settings);

        Assert.Contains(app.Log.At(LogLevel.Warning), l => l.Event.Name == "NoHttpEndpoint");
    }

    [Fact]
    public async Task Start_ReportOfTheEndpointsFails_OrdersAllTheSame()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(
            fixture.Settings(Name), configure: builder => builder.Logging.AddProvider(new FailingLoggerProvider(eventId: 1002)));

        await app.ObtainedAsync(Name);
        Assert.True(app.Log.Has("HostingFailed"));
    }

    [Fact]
    public async Task Start_Disabled_DoesNothing()
    {
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:Enabled"] = "false";
        settings["urls"] = "http://127.0.0.1:0";
        await using var app = await fixture.StartAppAsync(settings);

        Assert.Equal(HttpStatusCode.OK, (await app.GetHttpAsync("/", cancellationToken: Cancelled)).StatusCode);
        Assert.False(Directory.Exists(fixture.StorePath));
        Assert.Empty(fixture.Authority.Requests);
    }

    [Fact]
    public async Task Start_NoNames_RunsAndSaysSo()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await fixture.StartAppAsync(fixture.Settings());

        Assert.True(app.Log.Has("NoDomainNames"));
        await app.StopAsync(Cancelled);
        Assert.Empty(fixture.Authority.Requests);
    }

    [Fact]
    public async Task Start_ServeOnly_ServesTheStoreAndOrdersNothing()
    {
        await using var fixture = await LocalFixture.StartAsync();
        await fixture.FillStoreAsync(Name);

        fixture.Authority.ClearRequests();
        var settings = fixture.Settings(Name, "other.test");
        settings["AcmeHttps:Issuance"] = "ServeOnly";
        await using var app = await fixture.StartAppAsync(settings);

        await Poll.UntilAsync(() => app.Log.Has("NothingIsOrdered"), "the reason", cancellationToken: Cancelled);
        Assert.Equal(fixture.Authority.Issued[0].SerialNumber, (await app.ConnectAsync(Name, Cancelled)).SerialNumber);
        Assert.True((await app.ConnectAsync("other.test", Cancelled)).IsSelfSigned);
        await Assert.ThrowsAsync<InvalidOperationException>(() => app.Certificates.RenewAsync(Name, Cancelled));
        await app.StopAsync(Cancelled);
        Assert.Empty(fixture.Authority.Requests);
    }

    [Fact]
    public async Task Handshake_CertificateMissing_ServesAPlaceholderAndSaysSoOncePerName()
    {
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        await using var app = await fixture.StartAppAsync(fixture.Settings(Name, "other.test"));

        foreach (var name in new[] { Name, "other.test", Name })
        {
            Assert.True((await app.ConnectAsync(name, Cancelled)).IsSelfSigned);
        }

        Assert.Equal(2, app.Log.Lines.Count(l => l.Event.Name == "PlaceholderServed"));
        fixture.Authority.Faults.ValidationStuck = false;
    }

    [Fact]
    public async Task Handshake_CertificateMissingAndRefuse_IsAnsweredWithUnrecognizedName()
    {
        var openssl = RequireServer.Installed("openssl", "openssl");
        await using var fixture = await LocalFixture.StartAsync();
        fixture.Authority.Faults.ValidationStuck = true;
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:MissingCertificate"] = "Refuse";
        await using var app = await fixture.StartAppAsync(settings);

        await using var client = ChildProcess.Start(openssl, ["s_client", "-connect", app.Https.ToString(), "-servername", Name]);
        await client.WaitForLineAsync("alert number 112", cancellationToken: Cancelled);

        fixture.Authority.Faults.ValidationStuck = false;
    }

    private static async Task SaysAsync(AcmeApp app, FailureCause cause, params string[] parts)
    {
        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is not null,
            () => $"a failure\n{app.Log}",
            cancellationToken: Cancelled);
        var failure = app.Certificates.Find(Name)!.Failure!;

        Assert.Equal(cause, failure.Cause);
        Assert.All(parts, part => Assert.Contains(part, failure.Message, StringComparison.Ordinal));
        Assert.True((await app.ConnectAsync(Name, Cancelled)).IsSelfSigned);
    }
}
