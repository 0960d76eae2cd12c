using System.Diagnostics;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>From the start of a process to HTTPS, by way of Pebble and BIND: the best of three, for the machine may be busy.</summary>
[Collection(nameof(Alone))]
public sealed class DnsStartTimeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_ProcessWithApexAndWildcard_ServesHttpsWithinThreeSeconds()
    {
        using var folder = new TemporaryFolder();
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var pebble = await PebbleServer.StartAsync(new PebbleOptions { DnsServer = bind.Address.ToString() }, Cancelled);
        var times = new List<double>();
        while (times.Count == 0 || (times[^1] >= 3 && times.Count < 3))
        {
            var settings = BindSettings.AtPebble(bind, pebble, folder.Combine($"store-{times.Count}"));
            settings["AcmeHttps:Certificates:0:DomainNames:0"] = "example.test";
            settings["AcmeHttps:Certificates:0:DomainNames:1"] = "*.example.test";

            var clock = Stopwatch.StartNew();
            await using var app = TestAppProcess.Start(settings, FreePort.Tcp());
            await app.ListeningAsync();
            await Poll.UntilAsync(async _ => !(await app.ConnectAsync("any.example.test")).IsSelfSigned, $"the certificate\n{app.Output}", cancellationToken: Cancelled);
            times.Add(clock.Elapsed.TotalSeconds);
        }

        Assert.True(times[^1] < 3, $"It took {string.Join(", ", times.Select(t => $"{t:0.00} s"))}.");
    }
}
