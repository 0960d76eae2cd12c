using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Faults;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Certificates.Import;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Servers;

/// <summary>Real folders of other clients, with Pebble as the CA of both.</summary>
public sealed class ImportTests : IDisposable
{
    private static readonly TimeSpan UntilDue = TimeSpan.FromDays(61);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string ForeignPath => _folder.Combine("foreign");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Start_CertbotFolder_ServesItWithoutAnOrderAndRenewsItWhenDueFromItsAccount()
    {
        string[] names = ["app.test", "www.app.test"];
        await using var fixture = await PebbleFixture.StartBehindProxyAsync();
        await OtherClients.RunCertbotAsync(
            fixture.Proxy.DirectoryUrl, fixture.RootsPath, fixture.Pebble.HttpPort, ForeignPath, names, Cancelled);

        await TakesOverAsync(fixture, fixture.Settings().AddGroup(names), Path.Combine(ForeignPath, "live", "app.test", "fullchain.pem"));
    }

    [Fact]
    public async Task Start_CaddyStore_ServesItWithoutAnOrderAndRenewsItWhenDueFromItsAccount()
    {
        await using var fixture = await PebbleFixture.StartBehindProxyAsync();
        await OtherClients.RunCaddyAsync(
            fixture.Proxy.DirectoryUrl, fixture.RootsPath, (fixture.Pebble.HttpPort, fixture.Pebble.TlsPort), ForeignPath, ["app.test"],
            Cancelled);

        await TakesOverAsync(
            fixture, fixture.Settings("app.test"), Directory.GetFiles(ForeignPath, "app.test.crt", SearchOption.AllDirectories).Single());
    }

    private async Task TakesOverAsync(PebbleFixture fixture, Dictionary<string, string?> settings, string chainPath)
    {
        using var theirs = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(chainPath, Cancelled));
        var account = AccountOf(fixture, 0);
        var before = (fixture.Proxy.Requests.Count, Orders: fixture.NewOrders.Count(), Folder: SampleImports.Describe(ForeignPath));
        settings["AcmeHttps:ImportFrom:0:Path"] = ForeignPath;
        var time = new ShiftedTimeProvider();
        await using var app = await PebbleFixture.StartAppAsync(settings, builder => builder.Services
            .AddSingleton<TimeProvider>(time)
            .AddSingleton(QuickRetries.Settings with { LongestSleep = TimeSpan.FromMilliseconds(100) }));

        // The first connection is served, before anything is planned.
        Assert.Equal(theirs.SerialNumber, (await app.ConnectAsync("app.test", Cancelled)).SerialNumber);
        Assert.Equal("0 (ok)", (await fixture.ServedAsync(app, "app.test")).VerifyReturnCode);
        await Poll.UntilAsync(
            () => app.Certificates.Find("app.test")!.NextOrder > time.GetUtcNow().AddDays(1),
            () => $"the renewal to be planned\n{app.Log}",
            cancellationToken: Cancelled);
        Assert.DoesNotContain(fixture.Proxy.Requests.Skip(before.Count), r => r.Method == "POST");
        Assert.DoesNotContain(app.Log.Lines, l => l.Level >= LogLevel.Warning);

        // The clocks of the CA and of the application agree, and the certificate is due.
        fixture.Proxy.Add(new Fault("/") { Times = int.MaxValue, Date = time.GetUtcNow() + UntilDue });
        time.Ahead = UntilDue;
        await Poll.UntilAsync(
            async token => (await app.ConnectAsync("app.test", token)).SerialNumber != theirs.SerialNumber,
            () => $"the renewal\n{app.Log}",
            cancellationToken: Cancelled);

        Assert.Equal(account, AccountOf(fixture, before.Orders));
        Assert.DoesNotContain(fixture.Proxy.Requests.Skip(before.Count), r => r.Path == "/sign-me-up");
        Assert.Equal(before.Folder, SampleImports.Describe(ForeignPath));
    }

    private static string? AccountOf(PebbleFixture fixture, int order)
        => fixture.NewOrders.ElementAt(order).DecodeProtected().GetProperty("kid").GetString();
}
