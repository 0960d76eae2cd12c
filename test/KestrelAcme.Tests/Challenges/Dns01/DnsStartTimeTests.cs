using System.Diagnostics;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// Measures the time from the start of a process to HTTPS, with Pebble and BIND. The time is only logged, because the machine may be busy.
/// </summary>
public sealed class DnsStartTimeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_ProcessWithApexAndWildcard_ServesOneCertificateForBoth()
    {
        using var folder = new TemporaryFolder();
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var settings = BindSettings.AtPebble(bind, pebble, folder.Combine("store"));
        settings["AcmeHttps:Certificates:0:DomainNames:0"] = "example.test";
        settings["AcmeHttps:Certificates:0:DomainNames:1"] = "*.example.test";

        var clock = Stopwatch.StartNew();
        await using var app = TestAppProcess.Start(settings, FreePort.Tcp());
        await app.ListeningAsync();
        await Poll.UntilAsync(
            async _
                => !(await app.ConnectAsync("any.example.test"))
                    .IsSelfSigned, () => $"the certificate\n{app.Output}", cancellationToken: Cancelled);
        TestContext.Current.TestOutputHelper?.WriteLine($"HTTPS after {clock.Elapsed.TotalSeconds:0.00} s.");

        var served = (await app.ConnectAsync("any.example.test")).Leaf;
        Assert.True(served.MatchesHostname("any.example.test", allowWildcards: true, allowCommonName: false));
        Assert.True(served.MatchesHostname("example.test", allowWildcards: true, allowCommonName: false));
        Assert.Equal(served.SerialNumber, (await app.ConnectAsync("example.test")).SerialNumber);
    }
}
